// The drives of all units while an input sample lasts: `driven` in
// core/src/arithmetic.rs.
//
//   drive = bias + (2^16 + sum of input_weight * input) >> 17
//
// The sum is held at the ends of 32 bits after each product, and the drive at the
// ends of 16 bits. A weight is a multiple of 2^-10 mV, an input of 2^-12, a drive
// of 2^-5 mV: 17 bits are dropped, and 2^16 is half of what is dropped.
//
// The table has a row a unit: bias, then a weight a channel. A word is read a
// clock; its product is there two clocks later.
module drive #(
    parameter ROW_BITS = 8,
    parameter TABLE_BITS = 12,
    parameter INPUT_BITS = 10
) (
    input  wire                  clk_i,
    input  wire                  rst_ni,
    input  wire [15:0]           units_i,
    input  wire [15:0]           inputs_i,         // channels
    input  wire [TABLE_BITS-1:0] table_first_i,    // the bias of unit 0
    input  wire [INPUT_BITS-1:0] sample_first_i,   // the sample's value of channel 0

    input  wire                  start_i,
    output wire                  over_o,           // every drive is written

    output wire [TABLE_BITS-1:0] table_address_o,
    input  wire signed [15:0]    table_i,          // one clock later
    output wire [INPUT_BITS-1:0] input_address_o,
    input  wire signed [31:0]    product_i,        // of table_i and the input, one clock later

    output wire                  write_o,
    output wire [ROW_BITS-1:0]   unit_o,
    output wire        [15:0]    drive_o
);

    localparam signed [31:0] HALF = 32'sd65536;

    reg                  busy_q;
    reg [TABLE_BITS-1:0] table_q;
    reg [15:0]           unit_q;
    reg [15:0]           word_q;        // 0 is the bias, 1 the first weight

    wire last_word = word_q == inputs_i;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) busy_q <= 1'b0;
        else if (start_i) busy_q <= 1'b1;
        else if (last_word && unit_q == units_i - 16'd1) busy_q <= 1'b0;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) table_q <= {TABLE_BITS{1'b0}};
        else if (start_i) table_q <= table_first_i;
        else if (busy_q) table_q <= table_q + 1'b1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) word_q <= 16'd0;
        else if (start_i) word_q <= 16'd0;
        else if (busy_q) word_q <= last_word ? 16'd0 : word_q + 16'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) unit_q <= 16'd0;
        else if (start_i) unit_q <= 16'd0;
        else if (busy_q && last_word) unit_q <= unit_q + 16'd1;
    end

    assign table_address_o = table_q;
    assign input_address_o = sample_first_i + word_q[INPUT_BITS-1:0] - 1'b1;

    // Second clock: the words are there, and are multiplied.
    reg                 on1_q;
    reg                 bias1_q;
    reg                 last1_q;
    reg [ROW_BITS-1:0]  unit1_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) on1_q <= 1'b0;
        else on1_q <= busy_q;
    end

    always @(posedge clk_i) bias1_q <= word_q == 16'd0;
    always @(posedge clk_i) last1_q <= last_word;
    always @(posedge clk_i) unit1_q <= unit_q[ROW_BITS-1:0];

    // Third clock: the product is there.
    reg                 on2_q;
    reg                 bias2_q;
    reg                 last2_q;
    reg [ROW_BITS-1:0]  unit2_q;
    reg signed [15:0]   bias_q;
    reg signed [31:0]   sum_q;

    wire signed [32:0] wide = {sum_q[31], sum_q} + {product_i[31], product_i};
    wire signed [31:0] held = wide[32] != wide[31] ? {wide[32], {31{!wide[32]}}} : wide[31:0];

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) on2_q <= 1'b0;
        else on2_q <= on1_q;
    end

    always @(posedge clk_i) bias2_q <= bias1_q;
    always @(posedge clk_i) last2_q <= last1_q;
    always @(posedge clk_i) unit2_q <= unit1_q;

    always @(posedge clk_i) begin
        if (on1_q && bias1_q) bias_q <= table_i;
    end

    always @(posedge clk_i) begin
        if (bias2_q) sum_q <= HALF;
        else sum_q <= held;
    end

    // Fourth clock: the sum is whole. A row follows another without a pause, so
    // that the bias has to go along.
    reg                 write_q;
    reg [ROW_BITS-1:0]  unit3_q;
    reg signed [15:0]   bias3_q;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) write_q <= 1'b0;
        else write_q <= on2_q && last2_q;
    end

    always @(posedge clk_i) unit3_q <= unit2_q;
    always @(posedge clk_i) bias3_q <= bias_q;

    wire signed [16:0] total = {bias3_q[15], bias3_q} + {{2{sum_q[31]}}, sum_q[31:17]};

    assign write_o = write_q;
    assign unit_o = unit3_q;
    assign drive_o = total[16] != total[15] ? {total[16], {15{!total[16]}}} : total[15:0];
    assign over_o = !busy_q && !on1_q && !on2_q && !write_q;

endmodule
