// A product of two numbers of 16 bits.
//
// The module stays a module of its own in synthesis: Yosys 0.23 packs sums and
// registers around a product into the multiplier block of an iCE40, and gives
// wrong results where it packs those of `neuron`.
(* keep_hierarchy *)
module multiplier #(
    parameter SIGNED = 1,
    parameter CLOCKS = 1             // from the factors to the product: 0 or 1
) (
    input  wire        clk_i,
    input  wire [15:0] a_i,
    input  wire [15:0] b_i,
    output wire [31:0] product_o
);

    wire [31:0] product;

    generate
        if (SIGNED) begin : g_signed
            assign product = $signed(a_i) * $signed(b_i);
        end else begin : g_unsigned
            assign product = a_i * b_i;
        end
        if (CLOCKS) begin : g_clocked
            reg [31:0] product_q;
            always @(posedge clk_i) product_q <= product;
            assign product_o = product_q;
        end else begin : g_direct
            assign product_o = product;
        end
    endgenerate

endmodule
