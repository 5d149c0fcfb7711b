// The refractory time: core/src/refractory.rs.
//
//   a unit waits from its spike in step t to the beginning of step t + refractory_steps + 1
//   leak = 0 while it waits
//
// A row of the table says whether the unit waits, and the low bits of the step at
// which it is released. A step reads each row once, at the clock of the unit, so
// that the ring of core, which spares a processor this reading, is not needed.
// Steps are compared in RELEASE_BITS bits: refractory_steps must be below
// 2^RELEASE_BITS - 1.
module refractory #(
    parameter ROW_BITS = 8,
    parameter RELEASE_BITS = 15
) (
    input  wire                    clk_i,
    input  wire                    rst_ni,
    input  wire [RELEASE_BITS-1:0] step_i,
    input  wire [RELEASE_BITS-1:0] refractory_steps_i,

    // First clock: the row that is read. Second clock: whether its unit waits.
    input  wire [ROW_BITS-1:0]     row_read_i,
    output wire                    waits_o,

    // Before the first step: every unit waits.
    input  wire                    set_i,
    input  wire [ROW_BITS-1:0]     row_set_i,

    // Fourth clock: the row, and whether its unit fires.
    input  wire                    update_i,
    input  wire                    fires_i,
    input  wire [ROW_BITS-1:0]     row_update_i
);

    wire                    waiting;
    wire [RELEASE_BITS-1:0] release_step;
    wire                    released = release_step == step_i;

    assign waits_o = waiting && !released;

    // Whether the unit was released in this step, kept for the fourth clock.
    reg [3:2] released_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) released_q <= 2'd0;
        else released_q <= {released_q[2], released};
    end

    wire [RELEASE_BITS-1:0] start_step = set_i ? {RELEASE_BITS{1'b0}} : step_i;
    wire [RELEASE_BITS-1:0] next_release = start_step + refractory_steps_i + 1'b1;

    ram #(.WIDTH(RELEASE_BITS + 1), .ADDRESS_BITS(ROW_BITS)) u_waiting (
        .clk_i(clk_i),
        .write_i(set_i || (update_i && (fires_i || released_q[3]))),
        .write_address_i(set_i ? row_set_i : row_update_i),
        .write_data_i({set_i || fires_i, next_release}),
        .read_address_i(row_read_i),
        .read_data_o({waiting, release_step})
    );

endmodule
