// What the lights say.
//
//   green          the self-test gave the stored spikes
//   red, blinking  the network or its self-test has a fault; the number of flashes before a pause names it
//
//   flashes  1 to 5: the code of `loader`; 6: the self-test gave other spikes;
//            7: an image stopped coming over the line
module lights #(
    parameter TICK_BITS = 23             // a flash lasts 2^TICK_BITS clocks
) (
    input  wire       clk_i,
    input  wire       rst_ni,
    input  wire       equal_i,
    input  wire [2:0] code_i,            // 0: no fault
    output wire       green_o,
    output wire       red_o
);

    reg [TICK_BITS+3:0] clocks_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) clocks_q <= {(TICK_BITS + 4){1'b0}};
        else clocks_q <= clocks_q + 1'b1;
    end

    // Sixteen halves of flashes in turn: the even ones of the first `code_i` pairs
    // are light.
    wire [2:0] flash = clocks_q[TICK_BITS+3:TICK_BITS+1];

    assign green_o = equal_i;
    assign red_o = flash < code_i && !clocks_q[TICK_BITS];

endmodule
