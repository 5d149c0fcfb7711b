// The deviates of one step, unit after unit: a multiplicative congruential
// sequence of 32 bits that starts from the generator's word, made odd.
//
//   word_i    = word_(i-1) * MULTIPLIER
//   deviate_i = word_i[31:20] - word_i[19:8]
//
// Source: core/src/noise.rs.
module deviates (
    input  wire               clk_i,
    input  wire               rst_ni,
    input  wire               start_i,    // takes first_i as the word before unit 0
    input  wire [31:0]        first_i,
    input  wire               next_i,     // goes on to the next unit
    output wire signed [15:0] deviate_o   // of the present unit, -4095 to 4095
);

    localparam [31:0] MULTIPLIER = 32'h93d7_65dd;

    reg [31:0] word_q;

    // The low 32 bits of the product, from three products of 16 bits.
    wire [31:0] low;
    wire [31:0] cross_low;
    wire [31:0] cross_high;

    multiplier #(.SIGNED(0), .CLOCKS(0)) u_low (
        .clk_i(clk_i),
        .a_i(word_q[15:0]),
        .b_i(MULTIPLIER[15:0]),
        .product_o(low)
    );

    multiplier #(.SIGNED(0), .CLOCKS(0)) u_cross_low (
        .clk_i(clk_i),
        .a_i(word_q[15:0]),
        .b_i(MULTIPLIER[31:16]),
        .product_o(cross_low)
    );

    multiplier #(.SIGNED(0), .CLOCKS(0)) u_cross_high (
        .clk_i(clk_i),
        .a_i(word_q[31:16]),
        .b_i(MULTIPLIER[15:0]),
        .product_o(cross_high)
    );

    wire [15:0] high = low[31:16] + cross_low[15:0] + cross_high[15:0];

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) word_q <= 32'd1;
        else if (start_i) word_q <= {first_i[31:1], 1'b1};
        else if (next_i) word_q <= {high, low[15:0]};
    end

    assign deviate_o = {4'd0, word_q[31:20]} - {4'd0, word_q[19:8]};

endmodule
