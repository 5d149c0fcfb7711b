// A model of a SPI flash: sleeps until it gets ab, and reads for 03.
module flash #(
    parameter [23:0] FIRST = 24'h10_0000,    // the place of `bytes` in the flash
    parameter BYTES = 65536
) (
    input  wire select_ni,
    input  wire clk_i,
    input  wire data_i,
    output reg  data_o
);

    reg [7:0]  bytes [0:BYTES-1];
    reg [31:0] command;
    reg        awake;
    integer    bits;
    integer    place;
    integer    k;

    initial begin
        data_o = 1'b1;
        awake = 1'b0;
        bits = 0;
        place = 0;
        // Erased flash is all ones.
        for (k = 0; k < BYTES; k = k + 1) bytes[k] = 8'hff;
    end

    always @(posedge select_ni) begin
        if (bits == 8 && command[7:0] == 8'hab) awake = 1'b1;
        bits = 0;
    end

    always @(posedge clk_i) if (!select_ni) begin
        if (bits < 32) command = {command[30:0], data_i};
        bits = bits + 1;
        if (bits == 32) place = 0;
    end

    always @(negedge clk_i) if (!select_ni && bits >= 32 && awake && command == {8'h03, FIRST}) begin
        data_o = bytes[place][7 - (bits - 32) % 8];
        if ((bits - 32) % 8 == 7 && place < BYTES - 1) place = place + 1;
    end

endmodule
