// A spike on its way: core/src/delivery.rs.
//
//   h[target] += weight << weight_shift              (wraps, as in core)
//   h[filter] += readout_weight << readout_shift     (held at the ends)
//
// The table has a row of four words a unit: the unit's first synapse, the row of
// its first readout filter, the weight to it, the weight to the next filter. The
// first word of the next row is where the unit's synapses end. A synapse is a
// word: the distance from the spike's previous target in its low byte, the weight
// in its high byte. A synapse is read a clock; in the next one its target is known
// and h is read; in the third the sum is written.
module delivery #(
    parameter ROW_BITS = 8,
    parameter TABLE_BITS = 12,
    parameter SYNAPSE_BITS = 14
) (
    input  wire                    clk_i,
    input  wire                    rst_ni,

    input  wire                    write_i,
    input  wire [SYNAPSE_BITS-1:0] write_address_i,
    input  wire [15:0]             write_data_i,

    input  wire [4:0]              weight_shift_i,
    input  wire [4:0]              readout_shift_i,

    input  wire                    start_i,          // a spike of unit_i
    input  wire [ROW_BITS-1:0]     unit_i,
    output wire                    over_o,           // every sum is written

    output wire [TABLE_BITS-1:0]   table_address_o,
    input  wire [15:0]             table_i,          // one clock later

    output wire [ROW_BITS-1:0]     row_read_o,
    input  wire signed [31:0]      h_i,              // one clock later
    output wire                    add_o,
    output wire [ROW_BITS-1:0]     row_write_o,
    output wire signed [31:0]      h_o
);

    localparam [1:0] IDLE = 2'd0;
    localparam [1:0] TABLE = 2'd1;       // the unit's row of the table
    localparam [1:0] WALK = 2'd2;        // a synapse a clock
    localparam [1:0] READOUT = 2'd3;     // a readout filter a clock

    reg [1:0]              state_q;
    reg [2:0]              word_q;       // of the table's row; in READOUT the filter
    reg [SYNAPSE_BITS-1:0] next_q;       // the synapse that is read
    reg [SYNAPSE_BITS-1:0] end_q;        // the synapse after the unit's last one
    reg [ROW_BITS-1:0]     filter_q;
    reg signed [15:0]      first_q;
    reg signed [15:0]      second_q;

    wire walks = state_q == WALK && next_q != end_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) state_q <= IDLE;
        else case (state_q)
            IDLE: if (start_i) state_q <= TABLE;
            TABLE: if (word_q == 3'd5) state_q <= WALK;
            WALK: if (!walks) state_q <= READOUT;
            default: if (word_q == 3'd1) state_q <= IDLE;
        endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) word_q <= 3'd0;
        else if (state_q == TABLE || state_q == READOUT) word_q <= word_q + 3'd1;
        else word_q <= 3'd0;
    end

    assign table_address_o = {{(TABLE_BITS - ROW_BITS - 2){1'b0}}, unit_i, 2'b00}
        + {{(TABLE_BITS - 3){1'b0}}, word_q};

    // A word of the table is there one clock after its address.
    always @(posedge clk_i) begin
        if (state_q == TABLE && word_q == 3'd1) next_q <= table_i[SYNAPSE_BITS-1:0];
        else if (walks) next_q <= next_q + 1'b1;
    end

    always @(posedge clk_i) begin
        if (state_q == TABLE && word_q == 3'd2) filter_q <= table_i[ROW_BITS-1:0];
    end

    always @(posedge clk_i) begin
        if (state_q == TABLE && word_q == 3'd3) first_q <= table_i;
    end

    always @(posedge clk_i) begin
        if (state_q == TABLE && word_q == 3'd4) second_q <= table_i;
    end

    always @(posedge clk_i) begin
        if (state_q == TABLE && word_q == 3'd5) end_q <= table_i[SYNAPSE_BITS-1:0];
    end

    // First clock: a synapse is read.
    wire [15:0] synapse;

    ram_huge #(.WIDTH(16), .ADDRESS_BITS(SYNAPSE_BITS)) u_synapses (
        .clk_i(clk_i),
        .write_i(write_i),
        .address_i(write_i ? write_address_i : next_q),
        .write_data_i(write_data_i),
        .read_data_o(synapse)
    );

    reg synapse1_q;      // a synapse was read

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) synapse1_q <= 1'b0;
        else synapse1_q <= walks;
    end

    // Second clock: the target, and the amount that is added there.
    reg [ROW_BITS-1:0]  target_q;        // the last target

    wire                feeds = state_q == READOUT;
    wire [15:0]         distance = {8'd0, synapse[7:0]};
    wire [ROW_BITS-1:0] target = target_q + distance[ROW_BITS-1:0];
    wire signed [15:0]  weight = synapse1_q ? {{8{synapse[15]}}, synapse[15:8]}
                              : word_q[0] ? second_q : first_q;
    wire [4:0]          shift = synapse1_q ? weight_shift_i : readout_shift_i;
    wire signed [31:0]  amount = {{16{weight[15]}}, weight} << shift;

    assign row_read_o = synapse1_q ? target : word_q[0] ? filter_q + 1'b1 : filter_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) target_q <= {ROW_BITS{1'b0}};
        else if (state_q == TABLE) target_q <= {ROW_BITS{1'b0}};
        else if (synapse1_q) target_q <= target;
    end

    reg                add2_q;
    reg                holds2_q;         // held at the ends, as filters are
    reg [ROW_BITS-1:0] row2_q;
    reg signed [31:0]  amount2_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) add2_q <= 1'b0;
        else add2_q <= (synapse1_q || feeds) && weight != 16'd0;
    end

    always @(posedge clk_i) holds2_q <= !synapse1_q;
    always @(posedge clk_i) row2_q <= row_read_o;
    always @(posedge clk_i) amount2_q <= amount;

    // Third clock: the sum. A row that was written in the clock before was read
    // too early.
    reg                add3_q;
    reg [ROW_BITS-1:0] row3_q;
    reg signed [31:0]  h3_q;

    wire signed [31:0] present = add3_q && row3_q == row2_q ? h3_q : h_i;
    wire signed [32:0] sum = {present[31], present} + {amount2_q[31], amount2_q};
    wire               over = holds2_q && sum[32] != sum[31];

    assign add_o = add2_q;
    assign row_write_o = row2_q;
    assign h_o = over ? {sum[32], {31{!sum[32]}}} : sum[31:0];
    assign over_o = state_q == IDLE && !add2_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) add3_q <= 1'b0;
        else add3_q <= add2_q;
    end

    always @(posedge clk_i) row3_q <= row2_q;
    always @(posedge clk_i) h3_q <= h_o;

endmodule
