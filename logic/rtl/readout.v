// The output of a step: the sum of the readout filters, each counted from its
// rest.
//
//   output = sum of (r - 2^15)
//
// A readout filter has the equations of a synapse and is a row behind the units,
// so that `neuron` steps it and `delivery` feeds it. Source: `advance` and
// `weighed` of `ReadoutBlock` in core/src/block.rs.
module readout (
    input  wire               clk_i,
    input  wire               rst_ni,
    input  wire               start_i,      // of a step
    input  wire               add_i,        // r_i was a filter after the step one clock ago
    input  wire signed [31:0] r_i,
    output wire signed [31:0] output_o
);

    // HALF in core/src/arithmetic.rs.
    localparam signed [31:0] REST = 32'sd32768;

    reg signed [31:0] r_q;
    reg signed [31:0] output_q;

    always @(posedge clk_i) r_q <= r_i;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) output_q <= 32'sd0;
        else if (start_i) output_q <= 32'sd0;
        else if (add_i) output_q <= output_q + (r_q - REST);
    end

    assign output_o = output_q;

endmodule
