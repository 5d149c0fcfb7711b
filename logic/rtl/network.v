// A network and its trial: the tables, the states, and the order of a step.
//
// A step is that of core/src/step.rs and core/src/trial.rs:
//
//   drive     the drives, if an input sample begins       one clock a unit and channel
//   advance   units, then readout filters                 one clock each, and four
//   see       the output goes to the decision             one clock
//   spike     each spike to its targets and filters       one clock a synapse, and twelve;
//             at least 60, which its share of the hash takes
//
// The states of all units stand in memories, a row a unit; readout filters are
// rows behind the units.
module network #(
    parameter ROW_BITS = 8,          // units and readout filters: at most 2^ROW_BITS
    parameter TABLE_BITS = 12,       // 4 words a unit, 4 more, and 1 + channels words a unit
    parameter SYNAPSE_BITS = 14,     // synapses
    parameter INPUT_BITS = 10,       // input values: samples * channels
    parameter STEP_BITS = 20         // steps of a trial: below 2^STEP_BITS
) (
    input  wire               clk_i,
    input  wire               rst_ni,

    // The loader writes words of 16 bits while nothing runs.
    input  wire               write_i,
    input  wire        [2:0]  write_section_i,
    input  wire        [15:0] write_address_i,
    input  wire        [15:0] write_data_i,

    input  wire               start_i,          // begins a trial
    output wire               busy_o,
    output reg                done_o,           // for one clock, after the last step

    // What the network does while it runs. After a spike and after an output it
    // goes on when hold_i is low; until then spike_unit_o, step_o and output_o stay.
    input  wire               hold_i,
    output wire               spike_o,
    output wire        [15:0] spike_unit_o,
    output wire        [31:0] step_o,
    output wire               see_o,            // output_o is the output of this step
    output wire signed [31:0] output_o,
    output wire               step_start_o,     // for one clock, at a step's first clock

    // What the trial came to; valid from done_o on.
    output wire        [63:0] spike_hash_o,
    output wire        [63:0] wanted_hash_o,
    output wire               correct_o,
    output wire               strict_o,
    output wire signed [1:0]  answer_o
);

    // Half of what a shift by 16 bits drops; see HALF in core/src/arithmetic.rs.
    localparam signed [31:0] REST = 32'sd32768;

    localparam RELEASE_BITS = 15;

    // Sections of an image.
    localparam [2:0] SETTINGS = 3'd0;
    localparam [2:0] DECAYS = 3'd1;
    localparam [2:0] GAINS = 3'd2;
    localparam [2:0] TABLE = 3'd3;
    localparam [2:0] SYNAPSES = 3'd4;
    localparam [2:0] INPUTS = 3'd5;
    localparam [2:0] LIMITS = 3'd6;
    localparam [2:0] NOISE = 3'd7;

    localparam [3:0] IDLE = 4'd0;
    localparam [3:0] SET_OUT = 4'd1;       // start potential: product of span and fraction
    localparam [3:0] SET_IN = 4'd2;        // start potential: written
    localparam [3:0] STEP = 4'd3;
    localparam [3:0] DRIVE = 4'd4;
    localparam [3:0] WAIT_WORD = 4'd5;     // the word that starts the step's noise
    localparam [3:0] ADVANCE = 4'd6;
    localparam [3:0] SEE = 4'd7;
    localparam [3:0] SPIKE_UNIT = 4'd8;    // which unit fired
    localparam [3:0] SPIKE_START = 4'd9;
    localparam [3:0] SPIKE = 4'd10;
    localparam [3:0] FINISH = 4'd11;

    // ---------------------------------------------------------------- settings

    wire        [15:0] units;
    wire        [15:0] rows;
    wire        [15:0] inputs;
    wire signed [15:0] leak;
    wire signed [15:0] rise_decay;
    wire signed [15:0] noise_gain;
    wire signed [31:0] reset_potential;
    wire signed [31:0] start_low;
    wire signed [15:0] start_span;
    wire        [15:0] refractory_steps;
    wire        [4:0]  weight_shift;
    wire        [4:0]  readout_shift;
    wire        [15:0] input_table;
    wire        [31:0] steps_per_sample;
    wire               is_sign;
    wire        [31:0] steps;
    wire        [15:0] samples;
    wire signed [1:0]  right_answer;

    settings u_settings (
        .clk_i(clk_i),
        .write_i(write_i && write_section_i == SETTINGS),
        .address_i(write_address_i[4:0]),
        .data_i(write_data_i),
        .units_o(units),
        .rows_o(rows),
        .inputs_o(inputs),
        .leak_o(leak),
        .rise_decay_o(rise_decay),
        .noise_gain_o(noise_gain),
        .reset_o(reset_potential),
        .start_low_o(start_low),
        .start_span_o(start_span),
        .refractory_steps_o(refractory_steps),
        .weight_shift_o(weight_shift),
        .readout_shift_o(readout_shift),
        .input_table_o(input_table),
        .steps_per_sample_o(steps_per_sample),
        .is_sign_o(is_sign),
        .steps_o(steps),
        .samples_o(samples),
        .label_o(right_answer),
        .spike_hash_o(wanted_hash_o)
    );

    // ------------------------------------------------------------ order of work

    reg [3:0]            state_q;
    reg [STEP_BITS-1:0]  step_q;
    reg [ROW_BITS:0]     row_q;         // the row whose words are being read
    reg [STEP_BITS-1:0]  until_next_q;  // steps until the next sample begins
    reg [15:0]           sample_q;
    reg [INPUT_BITS-1:0] sample_first_q;
    reg                  first_step_q;

    wire past_rows = row_q == rows[ROW_BITS:0];
    wire last_row = row_q + 1'b1 == rows[ROW_BITS:0];
    wire is_unit = row_q < units[ROW_BITS:0];
    wire sample_begins = until_next_q == {{(STEP_BITS - 1){1'b0}}, 1'b1};
    wire last_step = step_q == steps[STEP_BITS-1:0];

    wire        generator_ready;
    wire [31:0] generator_word;
    wire        hash_ready;
    wire        drives_over;
    wire        advance_over;
    wire        delivery_over;
    wire        spike_over = delivery_over && !hold_i;
    wire        decision_waits;
    wire        decision_over;
    wire        any_spike;
    wire        last_spike;

    reg [3:0] state_d;

    always @* begin
        state_d = state_q;
        case (state_q)
            IDLE: if (start_i) state_d = SET_OUT;
            SET_OUT: if (!is_unit || generator_ready) state_d = SET_IN;
            SET_IN: state_d = last_row ? STEP : SET_OUT;
            STEP: if (!hold_i) state_d = last_step ? FINISH : (sample_begins || first_step_q) ? DRIVE : WAIT_WORD;
            DRIVE: if (drives_over) state_d = WAIT_WORD;
            WAIT_WORD: if (generator_ready) state_d = ADVANCE;
            ADVANCE: if (advance_over) state_d = SEE;
            SEE: if (decision_waits) state_d = any_spike ? SPIKE_UNIT : STEP;
            SPIKE_UNIT: if (hash_ready) state_d = SPIKE_START;
            SPIKE_START: state_d = SPIKE;
            SPIKE: if (spike_over) state_d = last_spike ? STEP : SPIKE_UNIT;
            FINISH: if (hash_ready && decision_over) state_d = IDLE;
            default: state_d = IDLE;
        endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) state_q <= IDLE;
        else state_q <= state_d;
    end

    wire begins = state_q == IDLE && start_i;
    wire steps_on = state_q == STEP && !hold_i && !last_step;
    wire next_sample = steps_on && sample_begins && sample_q + 16'd1 < samples;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) step_q <= {STEP_BITS{1'b0}};
        else if (begins) step_q <= {STEP_BITS{1'b0}};
        else if (steps_on) step_q <= step_q + 1'b1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) first_step_q <= 1'b0;
        else if (begins) first_step_q <= 1'b1;
        else if (steps_on) first_step_q <= 1'b0;
    end

    // The first sample lasts half as long as the others: its number is
    // step / steps_per_sample rounded to nearest.
    wire [STEP_BITS-1:0] half_sample = {1'b0, steps_per_sample[STEP_BITS-1:1]}
        + {{(STEP_BITS - 1){1'b0}}, steps_per_sample[0]};

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) until_next_q <= {STEP_BITS{1'b0}};
        else if (begins) until_next_q <= half_sample;
        else if (steps_on && sample_begins) until_next_q <= steps_per_sample[STEP_BITS-1:0];
        else if (steps_on) until_next_q <= until_next_q - 1'b1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) sample_q <= 16'd0;
        else if (begins) sample_q <= 16'd0;
        else if (next_sample) sample_q <= sample_q + 16'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) sample_first_q <= {INPUT_BITS{1'b0}};
        else if (begins) sample_first_q <= {INPUT_BITS{1'b0}};
        else if (next_sample) sample_first_q <= sample_first_q + inputs[INPUT_BITS-1:0];
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) row_q <= {(ROW_BITS + 1){1'b0}};
        else if (state_q == SET_IN) row_q <= last_row ? {(ROW_BITS + 1){1'b0}} : row_q + 1'b1;
        else if (state_q == ADVANCE && !past_rows) row_q <= row_q + 1'b1;
        else if (state_q != SET_OUT && state_q != ADVANCE) row_q <= {(ROW_BITS + 1){1'b0}};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) done_o <= 1'b0;
        else done_o <= state_q == FINISH && state_d == IDLE;
    end

    assign busy_o = state_q != IDLE;
    assign step_start_o = steps_on;
    assign step_o = {{(32 - STEP_BITS){1'b0}}, step_q};

    // -------------------------------------------------------------------- noise

    wire               starts_noise = state_q == WAIT_WORD && generator_ready;
    wire signed [15:0] deviate;

    generator u_generator (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .write_i(write_i && write_section_i == NOISE),
        .address_i(write_address_i[1:0]),
        .data_i(write_data_i),
        .start_i(begins),
        .next_i(starts_noise || (state_q == SET_IN && is_unit)),
        .word_o(generator_word),
        .ready_o(generator_ready)
    );

    deviates u_deviates (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(starts_noise),
        .first_i(generator_word),
        .next_i(unit_q[1]),
        .deviate_o(deviate)
    );

    // -------------------------------------------------------------------- drive

    wire [TABLE_BITS-1:0] drive_table_address;
    wire [TABLE_BITS-1:0] spike_table_address;
    wire [INPUT_BITS-1:0] input_address;
    wire signed [15:0]    table_word;
    wire signed [15:0]    input_value;
    wire signed [31:0]    product;
    wire                  writes_drive;
    wire [ROW_BITS-1:0]   drive_unit;
    wire        [15:0]    new_drive;

    // Biases and input weights, and where the spikes of each unit go: one
    // memory, since a step needs the one before it advances and the other after.
    wire                  writes_table = write_i && write_section_i == TABLE;
    wire [TABLE_BITS-1:0] table_address = writes_table ? write_address_i[TABLE_BITS-1:0]
        : state_q == DRIVE ? drive_table_address : spike_table_address;

    ram_huge #(.WIDTH(16), .ADDRESS_BITS(TABLE_BITS)) u_table (
        .clk_i(clk_i),
        .write_i(writes_table),
        .address_i(table_address),
        .write_data_i(write_data_i),
        .read_data_o(table_word)
    );

    wire                  writes_input = write_i && write_section_i == INPUTS;

    ram_huge #(.WIDTH(16), .ADDRESS_BITS(INPUT_BITS)) u_inputs (
        .clk_i(clk_i),
        .write_i(writes_input),
        .address_i(writes_input ? write_address_i[INPUT_BITS-1:0] : input_address),
        .write_data_i(write_data_i),
        .read_data_o(input_value)
    );

    drive #(.ROW_BITS(ROW_BITS), .TABLE_BITS(TABLE_BITS), .INPUT_BITS(INPUT_BITS)) u_drive (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .units_i(units),
        .inputs_i(inputs),
        .table_first_i(input_table[TABLE_BITS-1:0]),
        .sample_first_i(sample_first_q),
        .start_i(steps_on && state_d == DRIVE),
        .over_o(drives_over),
        .table_address_o(drive_table_address),
        .table_i(table_word),
        .input_address_o(input_address),
        .product_i(product),
        .write_o(writes_drive),
        .unit_o(drive_unit),
        .drive_o(new_drive)
    );

    // ------------------------------------------------------------------ advance

    // The row that is read, and the rows one to three clocks ahead of it.
    reg [3:1]          on_q;
    reg [3:1]          unit_q;
    reg [ROW_BITS-1:0] row1_q;
    reg [ROW_BITS-1:0] row2_q;
    reg [ROW_BITS-1:0] row3_q;

    wire reads_row = state_q == ADVANCE && !past_rows;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) on_q <= 3'd0;
        else on_q <= {on_q[2:1], reads_row};
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) unit_q <= 3'd0;
        else unit_q <= {unit_q[2:1], reads_row && is_unit};
    end

    always @(posedge clk_i) row1_q <= row_q[ROW_BITS-1:0];
    always @(posedge clk_i) row2_q <= row1_q;
    always @(posedge clk_i) row3_q <= row2_q;

    assign advance_over = past_rows && on_q[2:1] == 2'd0;

    wire signed [31:0] h_read;
    wire signed [31:0] s_read;
    wire signed [31:0] v_read;
    wire        [15:0] drive_read;
    wire signed [15:0] decay_read;
    wire signed [15:0] gain_read;
    wire               waits;
    wire signed [31:0] h_next;
    wire signed [31:0] s_next;
    wire signed [31:0] v_next;
    wire               reaches;
    wire               fires = unit_q[3] && reaches;

    // The start potential is core's `between`: low + span * fraction. The fraction
    // has no sign: its top bit stands for 2^15, and not for -2^15.
    wire signed [31:0] start_potential = start_low + product
        + (generator_word[31] ? {start_span, 16'd0} : 32'd0);

    neuron u_neuron (
        .clk_i(clk_i),
        .rise_decay_i(rise_decay),
        .noise_gain_i(noise_gain),
        .h_i(h_read),
        .s_i(s_read),
        .v_i(v_read),
        .drive_i(drive_read),
        .leak_i(waits ? 16'sd0 : leak),
        .synapse_decay_i(decay_read),
        .gain_i(gain_read),
        .is_filter_i(!unit_q[2]),
        .h_o(h_next),
        .s_o(s_next),
        .deviate_i(deviate),
        .v_o(v_next),
        .fires_o(reaches),
        .lend_i(state_q != ADVANCE),
        .lent_a_i(state_q == DRIVE ? table_word : start_span),
        .lent_b_i(state_q == DRIVE ? input_value : $signed(generator_word[31:16])),
        .lent_product_o(product)
    );

    // ------------------------------------------------------------------- states

    wire                sets = state_q == SET_IN;
    wire                adds;            // a spike arrives at a row
    wire [ROW_BITS-1:0] row = row_q[ROW_BITS-1:0];
    wire [ROW_BITS-1:0] row_filter = sets ? row : row2_q;     // h and s are there first
    wire [ROW_BITS-1:0] row_membrane = sets ? row : row3_q;
    wire [ROW_BITS-1:0] target_read;
    wire [ROW_BITS-1:0] target_write;
    wire signed [31:0]  h_added;

    ram #(.WIDTH(32), .ADDRESS_BITS(ROW_BITS)) u_h (
        .clk_i(clk_i),
        .write_i(sets || on_q[2] || adds),
        .write_address_i(adds ? target_write : row_filter),
        .write_data_i(sets ? REST : adds ? h_added : h_next),
        .read_address_i(state_q == ADVANCE ? row : target_read),
        .read_data_o(h_read)
    );

    ram #(.WIDTH(32), .ADDRESS_BITS(ROW_BITS)) u_s (
        .clk_i(clk_i),
        .write_i(sets || on_q[2]),
        .write_address_i(row_filter),
        .write_data_i(sets ? REST : s_next),
        .read_address_i(row),
        .read_data_o(s_read)
    );

    ram #(.WIDTH(32), .ADDRESS_BITS(ROW_BITS)) u_v (
        .clk_i(clk_i),
        .write_i((sets && is_unit) || unit_q[3]),
        .write_address_i(row_membrane),
        .write_data_i(sets ? start_potential : fires ? reset_potential : v_next),
        .read_address_i(row),
        .read_data_o(v_read)
    );

    refractory #(.ROW_BITS(ROW_BITS), .RELEASE_BITS(RELEASE_BITS)) u_refractory (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .step_i(step_q[RELEASE_BITS-1:0]),
        .refractory_steps_i(refractory_steps[RELEASE_BITS-1:0]),
        .row_read_i(row),
        .waits_o(waits),
        .set_i(sets && is_unit),
        .row_set_i(row),
        .update_i(unit_q[3]),
        .fires_i(fires),
        .row_update_i(row3_q)
    );

    ram #(.WIDTH(16), .ADDRESS_BITS(ROW_BITS)) u_drives (
        .clk_i(clk_i),
        .write_i(writes_drive),
        .write_address_i(drive_unit),
        .write_data_i(new_drive),
        .read_address_i(row),
        .read_data_o(drive_read)
    );

    ram #(.WIDTH(16), .ADDRESS_BITS(ROW_BITS)) u_decays (
        .clk_i(clk_i),
        .write_i(write_i && write_section_i == DECAYS),
        .write_address_i(write_address_i[ROW_BITS-1:0]),
        .write_data_i(write_data_i),
        .read_address_i(row),
        .read_data_o(decay_read)
    );

    ram #(.WIDTH(16), .ADDRESS_BITS(ROW_BITS)) u_gains (
        .clk_i(clk_i),
        .write_i(write_i && write_section_i == GAINS),
        .write_address_i(write_address_i[ROW_BITS-1:0]),
        .write_data_i(write_data_i),
        .read_address_i(row),
        .read_data_o(gain_read)
    );

    // ------------------------------------------------------- readout, decision

    readout u_readout (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(steps_on),
        .add_i(on_q[3] && !unit_q[3]),
        .r_i(s_next),
        .output_o(output_o)
    );

    assign see_o = state_q == SEE && decision_waits;

    decision #(.STEP_BITS(STEP_BITS)) u_decision (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .write_i(write_i && write_section_i == LIMITS),
        .address_i(write_address_i[5:0]),
        .data_i(write_data_i),
        .start_i(begins),
        .step_start_i(step_start_o),
        .step_i(step_q),
        .waits_o(decision_waits),
        .see_i(see_o),
        .output_i(output_o),
        .over_o(decision_over),
        .is_sign_i(is_sign),
        .label_i(right_answer),
        .correct_o(correct_o),
        .strict_o(strict_o),
        .answer_o(answer_o)
    );

    // ------------------------------------------------------------------- spikes

    reg [ROW_BITS:0] fired_q;     // spikes of this step
    reg [ROW_BITS:0] spike_q;     // the spike that is delivered

    wire [ROW_BITS-1:0] fired_unit;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) fired_q <= {(ROW_BITS + 1){1'b0}};
        else if (steps_on) fired_q <= {(ROW_BITS + 1){1'b0}};
        else if (fires) fired_q <= fired_q + 1'b1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) spike_q <= {(ROW_BITS + 1){1'b0}};
        else if (steps_on) spike_q <= {(ROW_BITS + 1){1'b0}};
        else if (state_q == SPIKE && spike_over) spike_q <= spike_q + 1'b1;
    end

    ram #(.WIDTH(ROW_BITS), .ADDRESS_BITS(ROW_BITS)) u_fired (
        .clk_i(clk_i),
        .write_i(fires),
        .write_address_i(fired_q[ROW_BITS-1:0]),
        .write_data_i(row3_q),
        .read_address_i(spike_q[ROW_BITS-1:0]),
        .read_data_o(fired_unit)
    );

    assign any_spike = fired_q != {(ROW_BITS + 1){1'b0}};
    assign last_spike = spike_q + 1'b1 == fired_q;
    assign spike_o = state_q == SPIKE_START;
    assign spike_unit_o = {{(16 - ROW_BITS){1'b0}}, fired_unit};

    spike_hash u_spike_hash (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(begins),
        .spike_i(spike_o),
        .step_i(step_o),
        .unit_i(spike_unit_o),
        .ready_o(hash_ready),
        .hash_o(spike_hash_o)
    );

    delivery #(.ROW_BITS(ROW_BITS), .TABLE_BITS(TABLE_BITS), .SYNAPSE_BITS(SYNAPSE_BITS)) u_delivery (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .write_i(write_i && write_section_i == SYNAPSES),
        .write_address_i(write_address_i[SYNAPSE_BITS-1:0]),
        .write_data_i(write_data_i),
        .weight_shift_i(weight_shift),
        .readout_shift_i(readout_shift),
        .start_i(spike_o),
        .unit_i(fired_unit),
        .over_o(delivery_over),
        .table_address_o(spike_table_address),
        .table_i(table_word),
        .row_read_o(target_read),
        .h_i(h_read),
        .add_o(adds),
        .row_write_o(target_write),
        .h_o(h_added)
    );

endmodule
