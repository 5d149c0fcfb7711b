// Reads the image of a network, byte after byte, checks it, and writes its words
// into the memories. host/src/export/verilog/image.rs describes the image.
//
//   crc = (crc >> 1) ^ (0xedb88320 if the bit that falls out differs from the
//         byte's), a bit a clock; all ones before the first bit and inverted after
//         the last one: CRC-32 (ISO-HDLC)
//
// The memories are written while the check sum is still unknown; a network runs
// only if over_o came with the code 0.
//
//   code  fault
//   1     the bytes do not begin with "R2SL"
//   2     the layout has another version
//   3     a section is unknown, or the sections are longer than the length says
//   4     a section is larger than its memory, or the image longer than 1 MiB
//   5     the check sum is wrong
module loader #(
    parameter ROW_BITS = 8,
    parameter TABLE_BITS = 12,
    parameter SYNAPSE_BITS = 14,
    parameter INPUT_BITS = 10
) (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        start_i,
    input  wire        valid_i,         // byte_i is the next byte
    input  wire [7:0]  byte_i,
    output wire        ready_o,         // valid_i and ready_o: the byte is taken
    output wire        over_o,          // the image is read, or has a fault
    output wire [2:0]  code_o,
    output wire [31:0] checksum_o,      // the stored one, which tells networks apart

    output wire        write_o,
    output wire [2:0]  section_o,
    output wire [15:0] address_o,
    output wire [15:0] data_o
);

    localparam [31:0] MAGIC = 32'h4c53_3252;      // "R2SL", its first byte lowest
    localparam [31:0] LAYOUT = 32'd1;             // and two bytes of zero

    localparam LENGTH_BITS = 20;                  // an image is shorter than 1 MiB

    localparam [2:0] SETTINGS = 3'd0;
    localparam [2:0] TABLE = 3'd3;
    localparam [2:0] SYNAPSES = 3'd4;
    localparam [2:0] INPUTS = 3'd5;
    localparam [2:0] LIMITS = 3'd6;
    localparam [2:0] NOISE = 3'd7;

    localparam [2:0] IDLE = 3'd0;
    localparam [2:0] HEAD = 3'd1;        // the first 16 bytes
    localparam [2:0] SECTION = 3'd2;     // number and count of a section
    localparam [2:0] WORDS = 3'd3;       // its words
    localparam [2:0] CHECK = 3'd4;       // the check sum is compared
    localparam [2:0] OVER = 3'd5;

    reg [2:0]  state_q;
    reg [2:0]  code_q;
    reg        taken_q;          // a byte was taken
    reg [3:0]  byte_q;           // the number of the byte in the header; its two low bits go on
    reg [31:0] last_q;           // the last four bytes, the latest one highest
    reg [LENGTH_BITS-1:0] left_q; // bytes of the sections that are left
    reg [31:0] stored_q;         // the check sum of the header
    reg [31:0] crc_q;
    reg [7:0]  bits_q;           // the bits of a byte that the check sum still lacks
    reg [3:0]  bits_left_q;
    reg [2:0]  section_q;
    reg [15:0] words_left_q;
    reg [15:0] address_q;

    wire        takes = valid_i && ready_o;
    wire [15:0] count = last_q[31:16];

    assign ready_o = (state_q == HEAD || state_q == SECTION || state_q == WORDS)
        && bits_left_q == 4'd0 && !taken_q;
    assign over_o = state_q == OVER;
    assign code_o = code_q;
    assign checksum_o = stored_q;

    // The bits of the last address of a section that its memory does not have.
    function [15:0] beyond;
        input [2:0]  section;
        input [15:0] address;
        begin
            case (section)
                SETTINGS: beyond = address >> 5;
                TABLE: beyond = address >> TABLE_BITS;
                SYNAPSES: beyond = address >> SYNAPSE_BITS;
                INPUTS: beyond = address >> INPUT_BITS;
                LIMITS: beyond = address >> 6;
                NOISE: beyond = address >> 2;
                default: beyond = address >> ROW_BITS;
            endcase
        end
    endfunction

    wire ends_word = taken_q && state_q == WORDS && byte_q[0];
    wire ends_head = taken_q && state_q == SECTION && byte_q[1:0] == 2'd3;
    wire is_unknown = last_q[15:3] != 13'd0 || {{(LENGTH_BITS - 17){1'b0}}, count, 1'b0} >= left_q;
    wire no_words = count == 16'd0;
    wire is_large = !no_words && beyond(last_q[2:0], count - 16'd1) != 16'd0;
    wire nothing_left = left_q == {{(LENGTH_BITS - 1){1'b0}}, 1'b1};

    reg [2:0] state_d;
    reg [2:0] code_d;

    always @* begin
        state_d = state_q;
        code_d = code_q;
        case (state_q)
            HEAD: if (taken_q && byte_q == 4'd3 && last_q != MAGIC) begin
                state_d = OVER;
                code_d = 3'd1;
            end else if (taken_q && byte_q == 4'd7 && last_q != LAYOUT) begin
                state_d = OVER;
                code_d = 3'd2;
            end else if (taken_q && byte_q == 4'd11 && last_q[31:LENGTH_BITS] != {(32 - LENGTH_BITS){1'b0}}) begin
                state_d = OVER;
                code_d = 3'd4;
            end else if (taken_q && byte_q == 4'd15) begin
                state_d = SECTION;
            end
            SECTION: if (ends_head && is_unknown) begin
                state_d = OVER;
                code_d = 3'd3;
            end else if (ends_head && is_large) begin
                state_d = OVER;
                code_d = 3'd4;
            end else if (ends_head) begin
                state_d = nothing_left ? CHECK : no_words ? SECTION : WORDS;
            end
            WORDS: if (ends_word && words_left_q == 16'd1) state_d = nothing_left ? CHECK : SECTION;
            CHECK: if (bits_left_q == 4'd0) begin
                state_d = OVER;
                code_d = ~crc_q == stored_q ? 3'd0 : 3'd5;
            end
            default: state_d = state_q;
        endcase
        if (start_i) begin
            state_d = HEAD;
            code_d = 3'd0;
        end
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) state_q <= IDLE;
        else state_q <= state_d;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) code_q <= 3'd0;
        else code_q <= code_d;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) byte_q <= 4'd0;
        else if (start_i) byte_q <= 4'd0;
        else if (taken_q) byte_q <= ends_head || ends_word ? 4'd0 : byte_q + 4'd1;
    end

    // A byte is judged in the clock after it was taken.
    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) taken_q <= 1'b0;
        else taken_q <= takes;
    end

    always @(posedge clk_i) begin
        if (takes) last_q <= {byte_i, last_q[31:8]};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) left_q <= {LENGTH_BITS{1'b0}};
        else if (taken_q && state_q == HEAD && byte_q == 4'd11) left_q <= last_q[LENGTH_BITS-1:0];
        else if (taken_q && (state_q == SECTION || state_q == WORDS)) left_q <= left_q - 1'b1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) stored_q <= 32'd0;
        else if (taken_q && state_q == HEAD && byte_q == 4'd15) stored_q <= last_q;
    end

    always @(posedge clk_i) begin
        if (ends_head) section_q <= last_q[2:0];
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) words_left_q <= 16'd0;
        else if (ends_head) words_left_q <= count;
        else if (ends_word) words_left_q <= words_left_q - 16'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) address_q <= 16'd0;
        else if (ends_head) address_q <= 16'd0;
        else if (ends_word) address_q <= address_q + 16'd1;
    end

    assign write_o = ends_word;
    assign section_o = section_q;
    assign address_o = address_q;
    assign data_o = last_q[31:16];

    // The check sum, without its own four bytes.
    wire sums = takes && !(state_q == HEAD && byte_q >= 4'd12);
    wire falls_out = crc_q[0] ^ bits_q[0];

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) crc_q <= 32'hffff_ffff;
        else if (start_i) crc_q <= 32'hffff_ffff;
        else if (bits_left_q != 4'd0) crc_q <= {1'b0, crc_q[31:1]} ^ (falls_out ? 32'hedb8_8320 : 32'd0);
    end

    always @(posedge clk_i) begin
        if (sums) bits_q <= byte_i;
        else bits_q <= {1'b0, bits_q[7:1]};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) bits_left_q <= 4'd0;
        else if (start_i) bits_left_q <= 4'd0;
        else if (sums) bits_left_q <= 4'd8;
        else if (bits_left_q != 4'd0) bits_left_q <= bits_left_q - 4'd1;
    end

endmodule
