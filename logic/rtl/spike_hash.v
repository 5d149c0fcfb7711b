// The hash of a trial's spikes: FNV-1a, 64 bits, over the step (4 bytes) and
// the unit (2 bytes) of every spike, little endian, as core/src/trial.rs has it.
//
//   hash = (hash ^ byte) * (2^40 + 0x1b3)
//
// A byte takes ten clocks: nine for the bits of 0x1b3, one for 2^40.
module spike_hash (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        start_i,    // the hash of no spikes
    input  wire        spike_i,    // adds a spike; only when ready_o
    input  wire [31:0] step_i,
    input  wire [15:0] unit_i,
    output wire        ready_o,
    output wire [63:0] hash_o
);

    localparam [63:0] OFFSET = 64'hcbf2_9ce4_8422_2325;
    localparam [8:0]  PRIME_LOW = 9'h1b3;

    reg [63:0] hash_q;         // while multiplying, the sum so far
    reg [63:0] multiplicand_q;
    reg [47:0] bytes_q;        // the bytes that are left, the present one lowest
    reg [2:0]  left_q;         // how many
    reg [3:0]  bit_q;          // the bit of the prime; 9 stands for 2^40, 10 for no product

    wire busy = left_q != 3'd0;
    wire loads = busy && bit_q == 4'd10;
    wire adds = bit_q == 4'd9 || PRIME_LOW[bit_q];
    wire [63:0] mixed = hash_q ^ {56'd0, bytes_q[7:0]};

    assign ready_o = !busy;
    assign hash_o = hash_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) hash_q <= OFFSET;
        else if (start_i) hash_q <= OFFSET;
        else if (loads) hash_q <= 64'd0;
        else if (busy && adds) hash_q <= hash_q + multiplicand_q;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) multiplicand_q <= 64'd0;
        else if (loads) multiplicand_q <= mixed;
        // After eight doublings the multiplicand stands at 2^8; 2^32 more make 2^40.
        else if (bit_q == 4'd8) multiplicand_q <= {multiplicand_q[31:0], 32'd0};
        else multiplicand_q <= {multiplicand_q[62:0], 1'b0};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) bytes_q <= 48'd0;
        else if (spike_i && !busy) bytes_q <= {unit_i, step_i};
        else if (busy && bit_q == 4'd9) bytes_q <= {8'd0, bytes_q[47:8]};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) left_q <= 3'd0;
        else if (start_i) left_q <= 3'd0;
        else if (spike_i && !busy) left_q <= 3'd6;
        else if (busy && bit_q == 4'd9) left_q <= left_q - 3'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) bit_q <= 4'd10;
        else if (start_i) bit_q <= 4'd10;
        else if (loads) bit_q <= 4'd0;
        else if (busy) bit_q <= bit_q == 4'd9 ? 4'd10 : bit_q + 4'd1;
    end

endmodule
