// A memory with one port, for large tables: written while a network is loaded,
// read while it runs. An iCE40UP5K has four such memories of 256 kbit apart from
// its block memories; a chip without them is synthesized with NO_HUGE_RAM defined.
module ram_huge #(
    parameter WIDTH = 16,
    parameter ADDRESS_BITS = 14
) (
    input  wire                    clk_i,
    input  wire                    write_i,
    input  wire [ADDRESS_BITS-1:0] address_i,
    input  wire [WIDTH-1:0]        write_data_i,
    output reg  [WIDTH-1:0]        read_data_o
);

`ifndef NO_HUGE_RAM
    (* ram_style = "huge" *)
`endif
    reg [WIDTH-1:0] words [0:(1 << ADDRESS_BITS) - 1];

    always @(posedge clk_i) begin
        if (write_i) words[address_i] <= write_data_i;
        else read_data_o <= words[address_i];
    end

endmodule
