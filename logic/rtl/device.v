// A whole device: the network, its loader, the flash, the serial line and the
// lights. A board gives it clock, reset and pins.
//
// At power-up it reads the network from flash, checks it, and runs its self-test;
// then it obeys the line.
module device #(
    parameter [31:0] CLOCK_HZ = 24_000_000,
    parameter BIT_CLOCKS = 208,              // of a bit on the line: 115,200 baud
    parameter PATIENCE_BITS = 24,
    parameter TICK_BITS = 22,
    parameter [23:0] FLASH_FIRST = 24'h10_0000,
    parameter ROW_BITS = 8,
    parameter TABLE_BITS = 12,
    parameter SYNAPSE_BITS = 14,
    parameter INPUT_BITS = 10,
    parameter STEP_BITS = 20
) (
    input  wire clk_i,
    input  wire rst_ni,
    output wire flash_select_no,
    output wire flash_clk_o,
    output wire flash_data_o,
    input  wire flash_data_i,
    input  wire line_i,
    output wire line_o,
    output wire green_o,
    output wire red_o
);

    localparam [2:0] BOOT = 3'd0;
    localparam [2:0] FLASH = 3'd1;       // the network comes from flash
    localparam [2:0] TEST = 3'd2;        // the self-test begins
    localparam [2:0] RUN = 3'd3;
    localparam [2:0] READY = 3'd4;
    localparam [2:0] LINE = 3'd5;        // an image comes over the line
    localparam [2:0] SPOILED = 3'd6;     // no network, or a fault in it

    // Faults beyond those of the loader.
    localparam [2:0] OTHER_SPIKES = 3'd6;
    localparam [2:0] CUT = 3'd7;         // an image stopped coming over the line

    reg [2:0] state_q;
    reg       is_test_q;         // the trial is the self-test
    reg       equal_q;
    reg [2:0] code_q;

    wire        flash_valid;
    wire [7:0]  flash_byte;
    wire        line_valid;
    wire [7:0]  line_byte;
    wire        loader_ready;
    wire        loader_over;
    wire [2:0]  loader_code;
    wire [31:0] checksum;
    wire        write;
    wire [2:0]  section;
    wire [15:0] address;
    wire [15:0] word;
    wire        image_start;
    wire        image_cut;
    wire        self_test;
    wire        run;
    wire        hold;
    wire        done;
    wire        spike;
    wire [15:0] spike_unit;
    wire [31:0] step;
    wire        see;
    wire signed [31:0] out;
    wire        step_start;
    wire [63:0] spike_hash;
    wire [63:0] wanted_hash;
    wire        correct;
    wire        strict;
    wire signed [1:0] answer;

    wire starts_flash = state_q == BOOT || ((state_q == READY || state_q == SPOILED) && self_test);
    wire starts_trial = state_q == TEST || (state_q == READY && run);
    wire equal = spike_hash == wanted_hash;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) state_q <= BOOT;
        else case (state_q)
            BOOT: state_q <= FLASH;
            FLASH: if (loader_over) state_q <= loader_code == 3'd0 ? TEST : SPOILED;
            TEST: state_q <= RUN;
            RUN: if (done) state_q <= READY;
            READY, SPOILED: if (self_test) state_q <= FLASH;
                            else if (image_start) state_q <= LINE;
                            else if (run && state_q == READY) state_q <= RUN;
            LINE: if (image_cut) state_q <= SPOILED;
                  else if (loader_over) state_q <= loader_code == 3'd0 ? READY : SPOILED;
            default: state_q <= BOOT;
        endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) is_test_q <= 1'b0;
        else if (starts_trial) is_test_q <= state_q == TEST;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) equal_q <= 1'b0;
        else if (starts_flash) equal_q <= 1'b0;
        else if (done && is_test_q) equal_q <= equal;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) code_q <= 3'd0;
        else if (starts_flash) code_q <= 3'd0;
        else if ((state_q == FLASH || state_q == LINE) && loader_over) code_q <= loader_code;
        else if (image_cut) code_q <= CUT;
        else if (done && is_test_q && !equal) code_q <= OTHER_SPIKES;
    end

    flash_reader #(.FIRST(FLASH_FIRST)) u_flash_reader (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(state_q == FLASH && !loader_over),
        .stop_i(loader_over || state_q != FLASH),
        .valid_o(flash_valid),
        .byte_o(flash_byte),
        .ready_i(loader_ready),
        .flash_select_no(flash_select_no),
        .flash_clk_o(flash_clk_o),
        .flash_data_o(flash_data_o),
        .flash_data_i(flash_data_i)
    );

    loader #(
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS)
    ) u_loader (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(starts_flash || ((state_q == READY || state_q == SPOILED) && image_start)),
        .valid_i(state_q == FLASH ? flash_valid : line_valid),
        .byte_i(state_q == FLASH ? flash_byte : line_byte),
        .ready_o(loader_ready),
        .over_o(loader_over),
        .code_o(loader_code),
        .checksum_o(checksum),
        .write_o(write),
        .section_o(section),
        .address_o(address),
        .data_o(word)
    );

    network #(
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS),
        .STEP_BITS(STEP_BITS)
    ) u_network (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .write_i(write),
        .write_section_i(section),
        .write_address_i(address),
        .write_data_i(word),
        .start_i(starts_trial),
        .busy_o(),
        .done_o(done),
        .hold_i(hold),
        .spike_o(spike),
        .spike_unit_o(spike_unit),
        .step_o(step),
        .see_o(see),
        .output_o(out),
        .step_start_o(step_start),
        .spike_hash_o(spike_hash),
        .wanted_hash_o(wanted_hash),
        .correct_o(correct),
        .strict_o(strict),
        .answer_o(answer)
    );

    wire [23:0] spikes;
    wire [31:0] clocks;
    wire [15:0] first;
    wire [15:0] worst;

    counters u_counters (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(starts_trial),
        .running_i(state_q == RUN && !hold),
        .step_start_i(step_start),
        .spike_i(spike),
        .done_i(done),
        .spikes_o(spikes),
        .clocks_o(clocks),
        .first_o(first),
        .worst_o(worst)
    );

    line #(
        .CLOCK_HZ(CLOCK_HZ),
        .BIT_CLOCKS(BIT_CLOCKS),
        .PATIENCE_BITS(PATIENCE_BITS),
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS)
    ) u_line (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .line_i(line_i),
        .line_o(line_o),
        .image_start_o(image_start),
        .image_valid_o(line_valid),
        .image_byte_o(line_byte),
        .image_cut_o(image_cut),
        .image_over_i(state_q == LINE && loader_over),
        .self_test_o(self_test),
        .run_o(run),
        .busy_i(state_q != READY && state_q != SPOILED),
        .done_i(done),
        .code_i(code_q),
        .checksum_i(checksum),
        .hold_o(hold),
        .spike_i(spike),
        .spike_unit_i(spike_unit),
        .step_i(step),
        .see_i(see),
        .output_i(out),
        .spike_hash_i(spike_hash),
        .correct_i(correct),
        .strict_i(strict),
        .answer_i(answer),
        .spikes_i(spikes),
        .clocks_i(clocks),
        .first_i(first),
        .worst_i(worst)
    );

    lights #(.TICK_BITS(TICK_BITS)) u_lights (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .equal_i(equal_q && code_q == 3'd0),
        .code_i(code_q),
        .green_o(green_o),
        .red_o(red_o)
    );

endmodule
