// The serial line: commands come in, answers go out. protocol/src/logic.rs
// describes both.
//
//   command   four bytes: "R2S" and a letter
//     I       identify
//     L       the image of a network or of a trial follows
//     T       load the network from flash again, and run its self-test
//     R       run the trial that is loaded
//     S       the same, and send each spike
//     O       the same, and send each output
//
//   answer    a5, a letter, the bytes of its kind, and their CRC-8 (polynomial 07)
//     i       identity of the network and sizes of the memories
//     l       the image is loaded: the code of `loader`
//     s       a spike: step (4), unit (2)
//     o       an output: step (4), output (4)
//     d       the trial is over: its outcome
//
// Bytes that are no command are dropped. An image that stops coming is given up
// after 2^PATIENCE_BITS clocks, so that no line can hang the logic.
module line #(
    parameter [31:0] CLOCK_HZ = 24_000_000,
    parameter BIT_CLOCKS = 208,
    parameter PATIENCE_BITS = 24,
    parameter ROW_BITS = 8,
    parameter TABLE_BITS = 12,
    parameter SYNAPSE_BITS = 14,
    parameter INPUT_BITS = 10
) (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        line_i,
    output wire        line_o,

    // The bytes of an image, for the loader.
    output wire        image_start_o,     // for one clock
    output wire        image_valid_o,
    output wire [7:0]  image_byte_o,
    output wire        image_cut_o,       // for one clock: the image stopped coming
    input  wire        image_over_i,

    // Commands, for one clock each.
    output wire        self_test_o,
    output wire        run_o,

    // The network.
    input  wire        busy_i,            // a trial or the flash is on its way
    input  wire        done_i,            // a trial is over
    input  wire [2:0]  code_i,
    input  wire [31:0] checksum_i,
    output wire        hold_o,
    input  wire        spike_i,
    input  wire [15:0] spike_unit_i,
    input  wire [31:0] step_i,
    input  wire        see_i,
    input  wire [31:0] output_i,
    input  wire [63:0] spike_hash_i,
    input  wire        correct_i,
    input  wire        strict_i,
    input  wire [1:0]  answer_i,
    input  wire [23:0] spikes_i,
    input  wire [31:0] clocks_i,
    input  wire [15:0] first_i,
    input  wire [15:0] worst_i
);

    // ------------------------------------------------------------------- comes in

    wire       comes;
    wire [7:0] byte_in;

    uart_receiver #(.BIT_CLOCKS(BIT_CLOCKS)) u_receiver (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .line_i(line_i),
        .valid_o(comes),
        .byte_o(byte_in)
    );

    reg [1:0]               known_q;       // bytes of "R2S" that came
    reg                     image_q;       // an image is coming
    reg [PATIENCE_BITS-1:0] patience_q;

    wire is_letter = comes && !image_q && known_q == 2'd3;
    wire obeys = is_letter && !busy_i;
    wire loads = obeys && byte_in == "L";
    wire runs = obeys && (byte_in == "R" || byte_in == "S" || byte_in == "O");

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) known_q <= 2'd0;
        else if (image_q) known_q <= 2'd0;
        else if (comes && known_q == 2'd1 && byte_in == "2") known_q <= 2'd2;
        else if (comes && known_q == 2'd2 && byte_in == "S") known_q <= 2'd3;
        else if (comes) known_q <= byte_in == "R" ? 2'd1 : 2'd0;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) image_q <= 1'b0;
        else if (loads) image_q <= 1'b1;
        else if (image_over_i || image_cut_o) image_q <= 1'b0;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) patience_q <= {PATIENCE_BITS{1'b0}};
        else if (!image_q || comes) patience_q <= {PATIENCE_BITS{1'b0}};
        else patience_q <= patience_q + 1'b1;
    end

    assign image_start_o = loads;
    assign image_valid_o = comes && image_q;
    assign image_byte_o = byte_in;
    assign image_cut_o = image_q && patience_q == {PATIENCE_BITS{1'b1}};
    assign self_test_o = obeys && byte_in == "T";
    assign run_o = runs;

    reg sends_spikes_q;
    reg sends_outputs_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) sends_spikes_q <= 1'b0;
        else if (obeys) sends_spikes_q <= byte_in == "S";
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) sends_outputs_q <= 1'b0;
        else if (obeys) sends_outputs_q <= byte_in == "O";
    end

    // -------------------------------------------------------------------- goes out

    // Which answer is on its way, and which byte of it.
    reg [7:0]  letter_q;
    reg        busy_q;
    reg [5:0]  at_q;
    reg [7:0]  crc_q;

    wire ready;
    wire [5:0] last = letter_q == "i" ? 6'd15
                    : letter_q == "l" ? 6'd7
                    : letter_q == "s" ? 6'd8
                    : letter_q == "o" ? 6'd10
                    : 6'd22;

    wire sends_spike = spike_i && sends_spikes_q;
    wire sends_output = see_i && sends_outputs_q;
    wire loaded = image_q && (image_over_i || image_cut_o);
    wire begins = (obeys && byte_in == "I") || loaded || sends_spike || sends_output || done_i;

    // A command that comes while an answer is on its way waits for nothing: the
    // host sends the next one when it has the answer.
    assign hold_o = busy_q && (sends_spikes_q || sends_outputs_q);

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) letter_q <= "i";
        else if (begins) letter_q <= done_i ? "d"
                                   : loaded ? "l"
                                   : sends_spike ? "s"
                                   : sends_output ? "o"
                                   : "i";
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) busy_q <= 1'b0;
        else if (begins) busy_q <= 1'b1;
        else if (ready && at_q == last) busy_q <= 1'b0;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) at_q <= 6'd0;
        else if (begins) at_q <= 6'd0;
        else if (busy_q && ready) at_q <= at_q + 6'd1;
    end

    wire [31:0] value = letter_q == "s" ? {16'd0, spike_unit_i} : output_i;

    // A byte of a longer number, the lowest first.
    reg [7:0] body;

    always @* begin
        body = 8'd0;
        case (letter_q)
            "i", "l": case (at_q)
                6'd2: body = {5'd0, code_i};
                6'd3: body = checksum_i[7:0];
                6'd4: body = checksum_i[15:8];
                6'd5: body = checksum_i[23:16];
                6'd6: body = checksum_i[31:24];
                6'd7: body = CLOCK_HZ[7:0];
                6'd8: body = CLOCK_HZ[15:8];
                6'd9: body = CLOCK_HZ[23:16];
                6'd10: body = CLOCK_HZ[31:24];
                6'd11: body = ROW_BITS;
                6'd12: body = TABLE_BITS;
                6'd13: body = SYNAPSE_BITS;
                6'd14: body = INPUT_BITS;
                default: body = 8'd0;
            endcase
            "s", "o": case (at_q)
                6'd2: body = step_i[7:0];
                6'd3: body = step_i[15:8];
                6'd4: body = step_i[23:16];
                6'd5: body = step_i[31:24];
                6'd6: body = value[7:0];
                6'd7: body = value[15:8];
                6'd8: body = value[23:16];
                default: body = value[31:24];
            endcase
            default: case (at_q)
                6'd2: body = {3'd0, answer_i, strict_i, correct_i, code_i == 3'd0};
                6'd3: body = spike_hash_i[7:0];
                6'd4: body = spike_hash_i[15:8];
                6'd5: body = spike_hash_i[23:16];
                6'd6: body = spike_hash_i[31:24];
                6'd7: body = spike_hash_i[39:32];
                6'd8: body = spike_hash_i[47:40];
                6'd9: body = spike_hash_i[55:48];
                6'd10: body = spike_hash_i[63:56];
                6'd11: body = spikes_i[7:0];
                6'd12: body = spikes_i[15:8];
                6'd13: body = spikes_i[23:16];
                6'd14: body = clocks_i[7:0];
                6'd15: body = clocks_i[15:8];
                6'd16: body = clocks_i[23:16];
                6'd17: body = clocks_i[31:24];
                6'd18: body = first_i[7:0];
                6'd19: body = first_i[15:8];
                6'd20: body = worst_i[7:0];
                default: body = worst_i[15:8];
            endcase
        endcase
    end

    wire [7:0] byte_out = at_q == 6'd0 ? 8'ha5
                        : at_q == 6'd1 ? letter_q
                        : at_q == last ? crc_q
                        : body;

    function [7:0] crc8;
        input [7:0] crc;
        integer     k;
        begin
            crc8 = crc;
            for (k = 0; k < 8; k = k + 1) crc8 = {crc8[6:0], 1'b0} ^ (crc8[7] ? 8'h07 : 8'h00);
        end
    endfunction

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) crc_q <= 8'd0;
        else if (begins) crc_q <= 8'd0;
        else if (busy_q && ready && at_q != 6'd0) crc_q <= crc8(crc_q ^ byte_out);
    end

    uart_sender #(.BIT_CLOCKS(BIT_CLOCKS)) u_sender (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .valid_i(busy_q),
        .byte_i(byte_out),
        .ready_o(ready),
        .line_o(line_o)
    );

endmodule
