// The generator of a trial: PCG-XSH-RR 64/32, as core/src/noise.rs has it.
//
//   word  = rotate_right(low 32 bits of (((state >> 18) ^ state) >> 27), state >> 59)
//   state = state * MULTIPLIER + INCREMENT
//
// A word is needed once a step. It is rotated a place a clock; the product takes
// 64 clocks of one addition each.
module generator (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        write_i,       // sets 16 bits of the state
    input  wire [1:0]  address_i,
    input  wire [15:0] data_i,
    input  wire        start_i,       // begins with the word of the state
    input  wire        next_i,        // goes on to the next word; only when ready_o
    output wire [31:0] word_o,
    output wire        ready_o
);

    localparam [63:0] MULTIPLIER = 64'd6364136223846793005;
    localparam [63:0] INCREMENT = 64'd1442695040888963407;

    localparam [1:0] READY = 2'd0;
    localparam [1:0] MULTIPLY = 2'd1;
    localparam [1:0] FOLD = 2'd2;      // the word before its rotation
    localparam [1:0] ROTATE = 2'd3;

    reg [1:0]  phase_q;
    reg [63:0] state_q;          // the state; while multiplying, the sum so far
    reg [63:0] multiplicand_q;
    reg [5:0]  bit_q;            // of the multiplier
    reg [31:0] word_q;
    reg [4:0]  turns_q;          // places that are left

    wire [63:0] folded = ((state_q >> 18) ^ state_q) >> 27;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) phase_q <= READY;
        else case (phase_q)
            READY: if (start_i) phase_q <= FOLD;
                   else if (next_i) phase_q <= MULTIPLY;
            MULTIPLY: if (bit_q == 6'd63) phase_q <= FOLD;
            FOLD: phase_q <= ROTATE;
            default: if (turns_q == 5'd0) phase_q <= READY;
        endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) state_q <= 64'd0;
        else if (write_i && address_i == 2'd0) state_q[15:0] <= data_i;
        else if (write_i && address_i == 2'd1) state_q[31:16] <= data_i;
        else if (write_i && address_i == 2'd2) state_q[47:32] <= data_i;
        else if (write_i) state_q[63:48] <= data_i;
        else if (phase_q == READY && next_i) state_q <= INCREMENT;
        else if (phase_q == MULTIPLY && MULTIPLIER[bit_q]) state_q <= state_q + multiplicand_q;
    end

    always @(posedge clk_i) begin
        if (phase_q == READY) multiplicand_q <= state_q;
        else multiplicand_q <= {multiplicand_q[62:0], 1'b0};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) bit_q <= 6'd0;
        else if (phase_q == MULTIPLY) bit_q <= bit_q + 6'd1;
        else bit_q <= 6'd0;
    end

    always @(posedge clk_i) begin
        if (phase_q == FOLD) word_q <= folded[31:0];
        else if (phase_q == ROTATE && turns_q != 5'd0) word_q <= {word_q[0], word_q[31:1]};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) turns_q <= 5'd0;
        else if (phase_q == FOLD) turns_q <= state_q[63:59];
        else if (phase_q == ROTATE && turns_q != 5'd0) turns_q <= turns_q - 5'd1;
    end

    assign word_o = word_q;
    assign ready_o = phase_q == READY;

endmodule
