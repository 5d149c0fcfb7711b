// Sends bytes over a serial line: a start bit (0), eight bits, the lowest first, a
// stop bit (1). A bit lasts BIT_CLOCKS clocks.
module uart_sender #(
    parameter BIT_CLOCKS = 208
) (
    input  wire       clk_i,
    input  wire       rst_ni,
    input  wire       valid_i,
    input  wire [7:0] byte_i,
    output wire       ready_o,         // valid_i and ready_o: the byte is taken
    output wire       line_o
);

    reg [3:0]  left_q;                 // bits that are left
    reg [15:0] clocks_q;
    reg [8:0]  bits_q;

    wire next = clocks_q == 16'd0;

    assign ready_o = left_q == 4'd0;
    assign line_o = bits_q[0] || left_q == 4'd0;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) left_q <= 4'd0;
        else if (ready_o) left_q <= valid_i ? 4'd10 : 4'd0;
        else if (next) left_q <= left_q - 4'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) clocks_q <= 16'd0;
        else if (ready_o || next) clocks_q <= BIT_CLOCKS - 1;
        else clocks_q <= clocks_q - 16'd1;
    end

    always @(posedge clk_i) begin
        if (ready_o) bits_q <= {byte_i, 1'b0};
        else if (next) bits_q <= {1'b1, bits_q[8:1]};
    end

endmodule
