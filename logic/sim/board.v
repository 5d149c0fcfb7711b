// The whole device with a model of the flash: reads the network, runs the
// self-test, and says EQUAL, or how often the red light flashes.
//
//   +flash=FILE      the bytes of the flash from the network's place on, a byte a line
`timescale 1ns / 1ps

module board;

`include "parameters.vh"

    reg  clk = 1'b0;
    reg  rst_n = 1'b0;
    wire select_n;
    wire flash_clk;
    wire to_flash;
    wire from_flash;
    wire green;
    wire red;

    device #(
        .PATIENCE_BITS(12),
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
        .line_i(1'b1),
        .line_o(),
        .green_o(green),
        .red_o(red)
    );

    flash #(.BYTES(IMAGE_BYTES + 64)) u_flash (
        .select_ni(select_n),
        .clk_i(flash_clk),
        .data_i(to_flash),
        .data_o(from_flash)
    );

    reg [8*512:1] file;
    integer       clocks = 0;
    integer       flashes = 0;
    integer       dark = 0;
    reg           was_red = 1'b0;

    always #5 clk = ~clk;

    initial begin
        if (!$value$plusargs("flash=%s", file)) begin
            $display("give +flash=FILE");
            $finish;
        end
        // Behind the erased bytes of the model.
        #1 $readmemh(file, u_flash.bytes);
        repeat (4) @(negedge clk);
        rst_n = 1'b1;
        while (!green && !red) begin
            @(negedge clk);
            clocks = clocks + 1;
        end
        if (green) begin
            $display("EQUAL: the green light is on after %0d clocks", clocks);
        end else begin
            // To the next pause, which is longer than the dark between two flashes;
            // then the flashes up to the pause after it.
            while (dark < 24) begin
                dark = red ? 0 : dark + 1;
                @(negedge clk);
            end
            while (dark < 24 || flashes == 0) begin
                if (red && !was_red) flashes = flashes + 1;
                was_red = red;
                dark = red ? 0 : dark + 1;
                @(negedge clk);
            end
            $display("FAILED: %0d flashes of the red light", flashes);
        end
        $finish;
    end

endmodule
