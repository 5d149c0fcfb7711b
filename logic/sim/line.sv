// The whole device with a model of the flash, its serial line at a pseudo-terminal.
// Runs until it is stopped.
//
//   +flash=FILE      the bytes of the flash from the network's place on, a byte a line
`timescale 1ns / 1ps

module line_bench;

`include "parameters.vh"

    // A bit of the line is short here, so that the simulation is fast.
    localparam BIT_CLOCKS = 8;

    import "DPI-C" function void terminal_open();
    import "DPI-C" function int terminal_read();
    import "DPI-C" function void terminal_write(int data);

    reg        clk = 1'b0;
    reg        rst_n = 1'b0;
    wire       select_n;
    wire       flash_clk;
    wire       to_flash;
    wire       from_flash;
    wire       to_device;
    wire       from_device;
    reg        sends = 1'b0;
    reg  [7:0] sent;
    wire       ready;
    wire       comes;
    wire [7:0] received;

    device #(
        .BIT_CLOCKS(BIT_CLOCKS),
        .PATIENCE_BITS(22),
        .TICK_BITS(4),
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS),
        .STEP_BITS(STEP_BITS)
    ) u_device (
        .clk_i(clk),
        .rst_ni(rst_n),
        .flash_select_no(select_n),
        .flash_clk_o(flash_clk),
        .flash_data_o(to_flash),
        .flash_data_i(from_flash),
        .line_i(to_device),
        .line_o(from_device),
        .green_o(),
        .red_o()
    );

    flash #(.BYTES(IMAGE_BYTES + 64)) u_flash (
        .select_ni(select_n),
        .clk_i(flash_clk),
        .data_i(to_flash),
        .data_o(from_flash)
    );

    // The USB bridge.
    uart_sender #(.BIT_CLOCKS(BIT_CLOCKS)) u_sender (
        .clk_i(clk),
        .rst_ni(rst_n),
        .valid_i(sends),
        .byte_i(sent),
        .ready_o(ready),
        .line_o(to_device)
    );

    uart_receiver #(.BIT_CLOCKS(BIT_CLOCKS)) u_receiver (
        .clk_i(clk),
        .rst_ni(rst_n),
        .line_i(from_device),
        .valid_o(comes),
        .byte_o(received)
    );

    reg [8*512:1] file;
    integer       data;
    integer       clocks = 0;

    always #5 clk = ~clk;

    always @(negedge clk) begin
        if (comes) terminal_write({24'd0, received});
        clocks = clocks + 1;
        sends = 1'b0;
        if (rst_n && ready && clocks % 64 == 0) begin
            data = terminal_read();
            sends = data >= 0;
            sent = data[7:0];
        end
    end

    initial begin
        if (!$value$plusargs("flash=%s", file)) begin
            $display("give +flash=FILE");
            $finish;
        end
        // Behind the erased bytes of the model.
        #1 $readmemh(file, u_flash.bytes);
        terminal_open();
        repeat (4) @(negedge clk);
        rst_n = 1'b1;
    end

endmodule
