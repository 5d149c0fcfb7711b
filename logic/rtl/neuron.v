// One step of a unit, or of a readout filter, one a clock: `advance` in
// core/src/block.rs.
//
//   rise   = gain * (h >> 16)
//   change = rise + synapse_decay * (s >> 16)
//   h'     = h + rise_decay * (h >> 16)
//   s'     = s + change                               (a readout filter: held at the ends)
//   v'     = v + leak * ((s + change / 2 + drive - v) >> 16) + noise_gain * deviate
//
// Numbers are those of core/src/arithmetic.rs: 32 bits for states, with the
// threshold at zero; 16 bits for factors. The row is there in the first clock, h'
// and s' in the second, v' in the third.
module neuron (
    input  wire               clk_i,

    // Factors that all units share.
    input  wire signed [15:0] rise_decay_i,
    input  wire signed [15:0] noise_gain_i,

    // First clock: the states and factors of the row.
    input  wire signed [31:0] h_i,
    input  wire signed [31:0] s_i,
    input  wire signed [31:0] v_i,
    input  wire        [15:0] drive_i,
    input  wire signed [15:0] leak_i,           // 0 while refractory
    input  wire signed [15:0] synapse_decay_i,
    input  wire signed [15:0] gain_i,

    // Second clock: the filters after the step, and the deviate of the row.
    input  wire               is_filter_i,
    output wire signed [31:0] h_o,
    output wire signed [31:0] s_o,
    input  wire signed [15:0] deviate_i,

    // Third clock: the membrane after the step.
    output wire signed [31:0] v_o,
    output wire               fires_o,

    // The membrane's multiplier, while no row is on its way.
    input  wire               lend_i,
    input  wire signed [15:0] lent_a_i,
    input  wire signed [15:0] lent_b_i,
    output wire signed [31:0] lent_product_o    // one clock later
);

    // First clock: products, and the distance from the potential to current and drive.
    // The drive's low half is the leak, as a word of core's `Packed` holds it.
    wire signed [31:0] rise;
    wire signed [31:0] fall;
    wire signed [31:0] decay;

    multiplier u_rise (.clk_i(clk_i), .a_i(h_i[31:16]), .b_i(gain_i), .product_o(rise));
    multiplier u_fall (.clk_i(clk_i), .a_i(h_i[31:16]), .b_i(rise_decay_i), .product_o(fall));
    multiplier u_decay (.clk_i(clk_i), .a_i(s_i[31:16]), .b_i(synapse_decay_i), .product_o(decay));

    reg signed [31:0] h1_q;
    reg signed [31:0] s1_q;
    reg signed [31:0] v1_q;
    reg signed [31:0] distance1_q;
    reg signed [15:0] leak1_q;

    always @(posedge clk_i) h1_q <= h_i;
    always @(posedge clk_i) s1_q <= s_i;
    always @(posedge clk_i) v1_q <= v_i;
    always @(posedge clk_i) distance1_q <= s_i + {drive_i, leak_i} - v_i;
    always @(posedge clk_i) leak1_q <= leak_i;

    // Second clock: the filters, and the products of the membrane.
    wire signed [31:0] change = rise + decay;
    wire signed [32:0] s_sum = {s1_q[31], s1_q} + {change[31], change};
    wire               s_over = is_filter_i && (s_sum[32] != s_sum[31]);
    wire signed [31:0] pull = distance1_q + (change >>> 1);

    assign h_o = h1_q + fall;
    assign s_o = s_over ? {s_sum[32], {31{!s_sum[32]}}} : s_sum[31:0];

    wire signed [31:0] moved;
    wire signed [31:0] noise;

    multiplier u_moved (
        .clk_i(clk_i),
        .a_i(lend_i ? lent_a_i : pull[31:16]),
        .b_i(lend_i ? lent_b_i : leak1_q),
        .product_o(moved)
    );

    multiplier u_noise (
        .clk_i(clk_i),
        .a_i(deviate_i),
        .b_i(noise_gain_i),
        .product_o(noise)
    );

    reg signed [31:0] v2_q;

    always @(posedge clk_i) v2_q <= v1_q;

    // Third clock.
    assign v_o = v2_q + moved + noise;
    assign fires_o = !v_o[31];
    assign lent_product_o = moved;

endmodule
