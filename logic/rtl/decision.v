// The answer of a trial, read from the output: core/src/decision.rs.
//
//   highest, lowest   the extremes of the output in the window of extremes
//   sum               the sum of the outputs in the window of the mean
//
// All limits stand in a memory, four words each, the low word first. Behind each
// output one comparator of 16 bits goes through them and keeps, for each, whether
// the number is below its limit:
//
//   number  below     limit
//   0       step      first step of the extremes
//   1       step      the step after their last one
//   2       step      first step of the mean
//   3       step      the step after its last one
//   4       highest   high, and one bit more
//   5       highest   low
//   6       lowest    -high
//   7       sum       steps of the mean * mean_high, and one bit more
//   8       sum       steps of the mean * mean_low
//   9       sum       -(steps of the mean * mean_low), and one bit more
//   10      sum       -(steps of the mean * mean_high)
//   11      sum       the sum above which the answer is 1, and one bit more
//
//   right answer   correct             strict
//   1              highest > high      sum > high sum
//   0              highest < low       -low sum < sum < low sum
//   -1             lowest < -high      sum < -high sum
//
// The four windows are compared while the units advance, the other numbers while
// the spikes of the step, or the units of the next one, are on their way.
module decision #(
    parameter STEP_BITS = 20
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,

    input  wire                 write_i,        // a word of the limits
    input  wire [5:0]           address_i,
    input  wire [15:0]          data_i,

    input  wire                 start_i,        // of a trial
    input  wire                 step_start_i,   // step_i is a new step
    input  wire [STEP_BITS-1:0] step_i,
    output wire                 waits_o,        // for the output of the step
    input  wire                 see_i,          // output_i is this output
    input  wire signed [31:0]   output_i,
    output wire                 over_o,         // the answer is up to date
    input  wire                 is_sign_i,      // the answers are 1 and -1, not 1 and 0
    input  wire signed [1:0]    label_i,        // the right answer

    output wire                 correct_o,
    output wire                 strict_o,
    output wire signed [1:0]    answer_o
);

    localparam SUM_BITS = STEP_BITS + 32;

    // ------------------------------------------------------------ the comparator

    localparam [1:0] IDLE = 2'd0;
    localparam [1:0] WINDOWS = 2'd1;     // words 0 to 15
    localparam [1:0] WAIT = 2'd2;        // for the output
    localparam [1:0] LIMITS = 2'd3;      // words 16 to 47

    reg  [1:0]  state_q;
    reg         step_q;          // a new step waits for its windows
    reg  [5:0]  at_q;            // the word that is read
    reg  [5:0]  at1_q;           // the word that is there
    reg         compares_q;
    reg         borrow_q;
    reg  [11:0] below_q;

    wire [15:0] limit;
    reg  [63:0] number;          // that of the word that is there
    reg  [15:0] word;

    ram #(.WIDTH(16), .ADDRESS_BITS(6)) u_limits (
        .clk_i(clk_i),
        .write_i(write_i),
        .write_address_i(address_i),
        .write_data_i(data_i),
        .read_address_i(at_q),
        .read_data_o(limit)
    );

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) state_q <= IDLE;
        else if (start_i) state_q <= IDLE;
        else case (state_q)
            IDLE: if (step_q) state_q <= WINDOWS;
            WINDOWS: if (at_q == 6'd15) state_q <= WAIT;
            WAIT: if (see_i) state_q <= LIMITS;
            default: if (at_q == 6'd47) state_q <= IDLE;
        endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) step_q <= 1'b0;
        else if (start_i) step_q <= 1'b0;
        else if (step_start_i) step_q <= 1'b1;
        else if (state_q == IDLE) step_q <= 1'b0;
    end

    wire reads = state_q == WINDOWS || state_q == LIMITS;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) at_q <= 6'd0;
        else if (start_i || state_q == IDLE) at_q <= 6'd0;
        else if (reads) at_q <= at_q + 6'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) compares_q <= 1'b0;
        else compares_q <= reads;
    end

    always @(posedge clk_i) at1_q <= at_q;

    assign waits_o = state_q == WAIT && !compares_q;
    assign over_o = state_q == IDLE && !step_q && !compares_q;

    reg signed [31:0]         highest_q;
    reg signed [31:0]         lowest_q;
    reg                       seen_q;
    reg signed [SUM_BITS-1:0] sum_q;

    always @* begin
        case (at1_q[5:2])
            4'd0, 4'd1, 4'd2, 4'd3: number = {{(64 - STEP_BITS){1'b0}}, step_i};
            4'd4, 4'd5: number = {{32{highest_q[31]}}, highest_q};
            4'd6: number = {{32{lowest_q[31]}}, lowest_q};
            default: number = {{(64 - SUM_BITS){sum_q[SUM_BITS-1]}}, sum_q};
        endcase
        case (at1_q[1:0])
            2'd0: word = number[15:0];
            2'd1: word = number[31:16];
            2'd2: word = number[47:32];
            default: word = number[63:48];
        endcase
    end

    // The last of the four differences has the sign of number - limit.
    wire [16:0] difference = {1'b0, word} - {1'b0, limit} - {16'd0, borrow_q};
    wire        first_word = at1_q[1:0] == 2'd0;
    wire        last_word = at1_q[1:0] == 2'd3;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) borrow_q <= 1'b0;
        else if (compares_q) borrow_q <= difference[16] && !last_word;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) below_q <= 12'd0;
        else if (compares_q && last_word) below_q <= {difference[15], below_q[11:1]};
    end

    // -------------------------------------------------------------- the evidence

    // Behind the windows their four bits are the highest of `below_q`.
    wire in_extremes = see_i && !below_q[8] && below_q[9];
    wire in_mean = see_i && !below_q[10] && below_q[11];

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) highest_q <= 32'sd0;
        else if (start_i) highest_q <= 32'sd0;
        else if (in_extremes && (!seen_q || output_i > highest_q)) highest_q <= output_i;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) lowest_q <= 32'sd0;
        else if (start_i) lowest_q <= 32'sd0;
        else if (in_extremes && (!seen_q || output_i < lowest_q)) lowest_q <= output_i;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) seen_q <= 1'b0;
        else if (start_i) seen_q <= 1'b0;
        else if (in_extremes) seen_q <= 1'b1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) sum_q <= {SUM_BITS{1'b0}};
        else if (start_i) sum_q <= {SUM_BITS{1'b0}};
        else if (in_mean) sum_q <= sum_q + {{(SUM_BITS - 32){output_i[31]}}, output_i};
    end

    // ---------------------------------------------------------------- the answer

    assign correct_o = label_i == 2'sd1 ? !below_q[4]
                     : label_i == 2'sd0 ? below_q[5]
                     : below_q[6];
    assign strict_o = label_i == 2'sd1 ? !below_q[7]
                    : label_i == 2'sd0 ? below_q[8] && !below_q[9]
                    : below_q[10];
    assign answer_o = !below_q[11] ? 2'sd1 : is_sign_i ? -2'sd1 : 2'sd0;

endmodule
