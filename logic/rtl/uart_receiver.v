// Receives bytes from a serial line: a start bit (0), eight bits, the lowest first,
// a stop bit (1). A bit lasts BIT_CLOCKS clocks and is read in its middle. A byte
// without its stop bit is dropped.
module uart_receiver #(
    parameter BIT_CLOCKS = 208
) (
    input  wire       clk_i,
    input  wire       rst_ni,
    input  wire       line_i,
    output wire       valid_o,         // for one clock
    output wire [7:0] byte_o
);

    reg [1:0]  line_q;
    reg        busy_q;
    reg [3:0]  left_q;                 // bits that are left, the stop bit included
    reg [15:0] clocks_q;
    reg [7:0]  bits_q;

    wire reads = busy_q && clocks_q == 16'd0;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) line_q <= 2'b11;
        else line_q <= {line_q[0], line_i};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) busy_q <= 1'b0;
        else if (!busy_q) busy_q <= !line_q[1];
        // A start bit that is over at its middle was a disturbance.
        else if (reads && (left_q == 4'd0 || (left_q == 4'd9 && line_q[1]))) busy_q <= 1'b0;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) left_q <= 4'd9;
        else if (!busy_q) left_q <= 4'd9;
        else if (reads) left_q <= left_q - 4'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) clocks_q <= 16'd0;
        else if (!busy_q) clocks_q <= BIT_CLOCKS / 2 - 1;
        else if (reads) clocks_q <= BIT_CLOCKS - 1;
        else clocks_q <= clocks_q - 16'd1;
    end

    always @(posedge clk_i) begin
        if (reads && left_q != 4'd0) bits_q <= {line_q[1], bits_q[7:1]};
    end

    assign valid_o = reads && left_q == 4'd0 && line_q[1];
    assign byte_o = bits_q;

endmodule
