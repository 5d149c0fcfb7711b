// Loads an image, runs its trial, and says EQUAL, or what it found instead. Several
// images run one after the other.
//
//   +image=FILE      the image, a byte a line, in hexadecimal
//   +images=FILE     instead: the names of images, one a line
//   +spikes=FILE     the spikes that there should be, "STEP UNIT" a line; says where the
//                    trial parts from them
//   +trace=FILE      writes "t" for each trial, "s STEP UNIT" for each of its spikes and
//                    "o STEP OUTPUT" for each step, in decimal
`timescale 1ns / 1ps

module self_test;

`include "parameters.vh"

    reg         clk = 1'b0;
    reg         rst_n = 1'b0;
    reg         load = 1'b0;
    reg         valid = 1'b0;
    reg  [7:0]  data;
    reg         start = 1'b0;
    wire        ready;
    wire        over;
    wire [2:0]  code;
    wire        write;
    wire [2:0]  section;
    wire [15:0] address;
    wire [15:0] word;
    wire        done;
    wire        spike;
    wire [15:0] spike_unit;
    wire [31:0] step;
    wire        see;
    wire signed [31:0] out;
    wire        step_start;
    wire [63:0] hash;
    wire [63:0] wanted;
    wire        correct;
    wire        strict;
    wire signed [1:0] answer;

    loader #(
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS)
    ) u_loader (
        .clk_i(clk),
        .rst_ni(rst_n),
        .start_i(load),
        .valid_i(valid),
        .byte_i(data),
        .ready_o(ready),
        .over_o(over),
        .code_o(code),
        .checksum_o(),
        .write_o(write),
        .section_o(section),
        .address_o(address),
        .data_o(word)
    );

    // A netlist has its sizes in it.
`ifdef NETLIST
    network u_network (
`else
    network #(
        .ROW_BITS(ROW_BITS),
        .TABLE_BITS(TABLE_BITS),
        .SYNAPSE_BITS(SYNAPSE_BITS),
        .INPUT_BITS(INPUT_BITS),
        .STEP_BITS(STEP_BITS)
    ) u_network (
`endif
        .clk_i(clk),
        .rst_ni(rst_n),
        .write_i(write),
        .write_section_i(section),
        .write_address_i(address),
        .write_data_i(word),
        .start_i(start),
        .busy_o(),
        .done_o(done),
        .hold_i(1'b0),
        .spike_o(spike),
        .spike_unit_o(spike_unit),
        .step_o(step),
        .see_o(see),
        .output_o(out),
        .step_start_o(step_start),
        .spike_hash_o(hash),
        .wanted_hash_o(wanted),
        .correct_o(correct),
        .strict_o(strict),
        .answer_o(answer)
    );

    reg [7:0]     image [0:IMAGE_BYTES-1];
    reg [8*512:1] file;
    reg [8*512:1] list;
    integer       names;
    integer       trace;
    integer       failures;
    integer       expected;         // file of the spikes that there should be
    integer       expected_step;
    integer       expected_unit;
    reg           parted;

    always #5 clk = ~clk;

    // Clocks: of the trial, of the present step, of the slowest step except the first.
    integer clocks;
    integer of_step;
    integer worst;
    integer first;
    integer spikes;
    integer steps;

    task load_image;
        integer at;
        begin
            $readmemh(file, image);
            load = 1'b1;
            @(negedge clk);
            load = 1'b0;
            at = 0;
            while (!over) begin
                valid = at < IMAGE_BYTES;
                data = image[at];
                if (ready) at = at + 1;
                @(negedge clk);
            end
            valid = 1'b0;
        end
    endtask

    task ends_step;
        begin
            if (steps == 1) first = of_step;
            if (steps > 1 && of_step > worst) worst = of_step;
        end
    endtask

    // The spike beside the one that there should be.
    task compare;
        begin
            if ($fscanf(expected, "%d %d", expected_step, expected_unit) != 2) begin
                expected_step = 0;
                expected_unit = 0;
            end
            if (expected_step != step || expected_unit != {16'd0, spike_unit}) begin
                parted = 1'b1;
                $display("the trial parts after %0d spikes: unit %0d in step %0d instead of unit %0d in step %0d",
                         spikes, spike_unit, step, expected_unit, expected_step);
            end
        end
    endtask

    task run_trial;
        begin
            parted = 1'b0;
            if (trace != 0) $fdisplay(trace, "t");
            clocks = 0;
            spikes = 0;
            steps = 0;
            first = 0;
            worst = 0;
            of_step = 0;
            start = 1'b1;
            @(negedge clk);
            start = 1'b0;
            while (!done) begin
                if (step_start) begin
                    ends_step;
                    steps = steps + 1;
                    of_step = 0;
                end
                if (steps != 0) begin
                    clocks = clocks + 1;
                    of_step = of_step + 1;
                end
                if (spike) begin
                    if (expected != 0 && !parted) compare;
                    spikes = spikes + 1;
                    if (trace != 0) $fdisplay(trace, "s %0d %0d", step, spike_unit);
                end
                if (see && trace != 0) $fdisplay(trace, "o %0d %0d", step, out);
                @(negedge clk);
            end
            ends_step;
        end
    endtask

    task test_image;
        begin
            load_image;
            if (code != 3'd0) begin
                $display("REFUSED: code %0d", code);
                failures = failures + 1;
            end else begin
                run_trial;
                if (hash != wanted) failures = failures + 1;
                $display("%0s: hash %h, wanted %h, %0d spikes, %0d clocks in %0d steps, first step %0d, worst %0d, correct %b, strict %b, answer %0d",
                         hash == wanted ? "EQUAL" : "DIFFERENT", hash, wanted, spikes, clocks, steps,
                         first, worst, correct, strict, answer);
            end
        end
    endtask

    initial begin
        trace = 0;
        expected = 0;
        failures = 0;
        if ($value$plusargs("spikes=%s", file)) expected = $fopen(file, "r");
        if ($value$plusargs("trace=%s", file)) trace = $fopen(file, "w");
        repeat (4) @(negedge clk);
        rst_n = 1'b1;
        @(negedge clk);
        if ($value$plusargs("images=%s", list)) begin
            names = $fopen(list, "r");
            while ($fscanf(names, "%s", file) == 1) test_image;
        end else if ($value$plusargs("image=%s", file)) begin
            test_image;
        end else begin
            $display("give +image=FILE or +images=FILE");
            failures = 1;
        end
        if (trace != 0) $fclose(trace);
        if (failures != 0) $display("FAILED: %0d", failures);
        $finish;
    end

endmodule
