// The ULX3S: ECP5-25F, a crystal of 25 MHz, SPI flash, and a USB bridge with a
// serial line of 115,200 baud. The clock of the flash passes through a primitive,
// since the configuration uses its pin too.
module ulx3s (
    input  wire       clk_25mhz,
    input  wire       ftdi_txd,         // from the bridge
    output wire       ftdi_rxd,         // to the bridge
    output wire [1:0] led,              // red, green
    output wire       flash_csn,
    output wire       flash_mosi,
    input  wire       flash_miso,
    output wire       flash_holdn,
    output wire       flash_wpn
);

`include "parameters.vh"

    reg [7:0] wait_q = 8'd0;
    wire      rst_n = &wait_q;

    always @(posedge clk_25mhz) begin
        if (!rst_n) wait_q <= wait_q + 8'd1;
    end

    wire flash_clk;

    USRMCLK u_flash_clk (
        .USRMCLKI(flash_clk),
        .USRMCLKTS(1'b0)
    );

    device #(
        .CLOCK_HZ(25_000_000),
        .BIT_CLOCKS(217),
        .FLASH_FIRST(24'h20_0000),
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS),
        .STEP_BITS(STEP_BITS)
    ) u_device (
        .clk_i(clk_25mhz),
        .rst_ni(rst_n),
        .flash_select_no(flash_csn),
        .flash_clk_o(flash_clk),
        .flash_data_o(flash_mosi),
        .flash_data_i(flash_miso),
        .line_i(ftdi_txd),
        .line_o(ftdi_rxd),
        .green_o(led[1]),
        .red_o(led[0])
    );

    assign flash_holdn = 1'b1;
    assign flash_wpn = 1'b1;

endmodule
