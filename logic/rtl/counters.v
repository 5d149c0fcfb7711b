// What a trial costs: its spikes, and the clocks of all steps, of the first step,
// and of the slowest of the others. The count of a step stops at 65,535.
module counters (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        start_i,           // of a trial
    input  wire        running_i,         // this clock counts
    input  wire        step_start_i,      // the first clock of a step
    input  wire        spike_i,
    input  wire        done_i,            // the trial is over
    output reg  [23:0] spikes_o,
    output reg  [31:0] clocks_o,
    output reg  [15:0] first_o,
    output reg  [15:0] worst_o
);

    reg [1:0]  steps_q;          // 0, 1, or more
    reg [15:0] clocks_q;         // of the present step

    wire ends = step_start_i || done_i;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) steps_q <= 2'd0;
        else if (start_i) steps_q <= 2'd0;
        else if (step_start_i && steps_q != 2'd2) steps_q <= steps_q + 2'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) clocks_q <= 16'd0;
        else if (ends) clocks_q <= 16'd1;
        else if (running_i && clocks_q != 16'hffff) clocks_q <= clocks_q + 16'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) spikes_o <= 24'd0;
        else if (start_i) spikes_o <= 24'd0;
        else if (spike_i) spikes_o <= spikes_o + 24'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) clocks_o <= 32'd0;
        else if (start_i) clocks_o <= 32'd0;
        else if (running_i && (step_start_i || steps_q != 2'd0)) clocks_o <= clocks_o + 32'd1;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) first_o <= 16'd0;
        else if (ends && steps_q == 2'd1) first_o <= clocks_q;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) worst_o <= 16'd0;
        else if (start_i) worst_o <= 16'd0;
        else if (ends && steps_q == 2'd2 && clocks_q > worst_o) worst_o <= clocks_q;
    end

endmodule
