// A memory with one read port and one write port, both clocked.
//
// A read of the address that is being written gives any word: no reader in this
// design uses it. Synthesis maps the memory onto block memory.
module ram #(
    parameter WIDTH = 16,
    parameter ADDRESS_BITS = 8
) (
    input  wire                    clk_i,
    input  wire                    write_i,
    input  wire [ADDRESS_BITS-1:0] write_address_i,
    input  wire [WIDTH-1:0]        write_data_i,
    input  wire [ADDRESS_BITS-1:0] read_address_i,
    output reg  [WIDTH-1:0]        read_data_o
);

    (* no_rw_check *)
    reg [WIDTH-1:0] words [0:(1 << ADDRESS_BITS) - 1];

    always @(posedge clk_i) begin
        if (write_i) words[write_address_i] <= write_data_i;
    end

    always @(posedge clk_i) begin
        read_data_o <= words[read_address_i];
    end

endmodule
