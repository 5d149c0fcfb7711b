// The iCEBreaker: iCE40UP5K, a crystal of 12 MHz from which a phase-locked loop
// makes 18 MHz, SPI flash, and a USB bridge with a serial line of 115,200 baud.
module icebreaker (
    input  wire CLK,
    input  wire RX,
    output wire TX,
    output wire LEDR_N,
    output wire LEDG_N,
    output wire FLASH_SCK,
    output wire FLASH_SSB,
    output wire FLASH_IO0,
    input  wire FLASH_IO1
);

`include "parameters.vh"

    wire clk;
    wire locked;

    // 12 MHz * 48 / 2^5.
    SB_PLL40_PAD #(
        .FEEDBACK_PATH("SIMPLE"),
        .DIVR(4'd0),
        .DIVF(7'd47),
        .DIVQ(3'd5),
        .FILTER_RANGE(3'd1)
    ) u_pll (
        .PACKAGEPIN(CLK),
        .PLLOUTGLOBAL(clk),
        .LOCK(locked),
        .BYPASS(1'b0),
        .RESETB(1'b1)
    );

    // Memories answer reliably some microseconds after the configuration.
    reg [7:0] wait_q = 8'd0;
    wire      rst_n = &wait_q;

    always @(posedge clk) begin
        if (!locked) wait_q <= 8'd0;
        else if (!rst_n) wait_q <= wait_q + 8'd1;
    end

    wire green;
    wire red;

    device #(
        .CLOCK_HZ(18_000_000),
        .BIT_CLOCKS(156),
        .FLASH_FIRST(24'h10_0000),
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS),
        .STEP_BITS(STEP_BITS)
    ) u_device (
        .clk_i(clk),
        .rst_ni(rst_n),
        .flash_select_no(FLASH_SSB),
        .flash_clk_o(FLASH_SCK),
        .flash_data_o(FLASH_IO0),
        .flash_data_i(FLASH_IO1),
        .line_i(RX),
        .line_o(TX),
        .green_o(green),
        .red_o(red)
    );

    assign LEDG_N = !green;
    assign LEDR_N = !red;

endmodule
