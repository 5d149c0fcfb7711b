// The numbers of a network and of a trial: section 0 of an image, 16 bits a word,
// the low word of a longer number first. host/src/export/verilog/image.rs writes
// them.
//
//   word    number
//   0       units
//   1       units and readout filters
//   2       input channels
//   3       leak
//   4       rise decay
//   5       noise gain
//   6, 7    reset potential
//   8, 9    lowest start potential
//   10      span of the start potentials, without its low 16 bits
//   11      refractory steps
//   12      weight shift, readout shift << 8
//   13      word of the table at which the biases and input weights begin
//   14, 15  steps of an input sample
//   16      1 if the answers are 1 and -1, 0 if they are 1 and 0
//
// What differs from trial to trial:
//
//   17, 18  steps
//   19      input samples; the last one lasts to the end
//   20      the right answer, two bits
//   21..24  hash of the spikes that the trial should have
module settings (
    input  wire               clk_i,
    input  wire               write_i,
    input  wire        [4:0]  address_i,
    input  wire        [15:0] data_i,

    output wire        [15:0] units_o,
    output wire        [15:0] rows_o,
    output wire        [15:0] inputs_o,
    output wire signed [15:0] leak_o,
    output wire signed [15:0] rise_decay_o,
    output wire signed [15:0] noise_gain_o,
    output wire signed [31:0] reset_o,
    output wire signed [31:0] start_low_o,
    output wire signed [15:0] start_span_o,
    output wire        [15:0] refractory_steps_o,
    output wire        [4:0]  weight_shift_o,
    output wire        [4:0]  readout_shift_o,
    output wire        [15:0] input_table_o,
    output wire        [31:0] steps_per_sample_o,
    output wire               is_sign_o,
    output wire        [31:0] steps_o,
    output wire        [15:0] samples_o,
    output wire signed [1:0]  label_o,
    output wire        [63:0] spike_hash_o
);

    localparam WORDS = 25;

    reg [15:0] words_q [0:WORDS-1];

    always @(posedge clk_i) begin
        if (write_i && address_i < WORDS) words_q[address_i] <= data_i;
    end

    assign units_o = words_q[0];
    assign rows_o = words_q[1];
    assign inputs_o = words_q[2];
    assign leak_o = words_q[3];
    assign rise_decay_o = words_q[4];
    assign noise_gain_o = words_q[5];
    assign reset_o = {words_q[7], words_q[6]};
    assign start_low_o = {words_q[9], words_q[8]};
    assign start_span_o = words_q[10];
    assign refractory_steps_o = words_q[11];
    assign weight_shift_o = words_q[12][4:0];
    assign readout_shift_o = words_q[12][12:8];
    assign input_table_o = words_q[13];
    assign steps_per_sample_o = {words_q[15], words_q[14]};
    assign is_sign_o = words_q[16][0];
    assign steps_o = {words_q[18], words_q[17]};
    assign samples_o = words_q[19];
    assign label_o = words_q[20][1:0];
    assign spike_hash_o = {words_q[24], words_q[23], words_q[22], words_q[21]};

endmodule
