// Reads bytes from a SPI flash, one after the other, from FIRST on.
//
// After its configuration an FPGA may leave the flash asleep: the first command
// wakes it (ab). The second one reads (03, 24 bits of address), and the bytes
// follow for as long as clocks come. A bit takes two clocks; the clock of the
// flash stops while a byte waits to be taken.
module flash_reader #(
    parameter [23:0] FIRST = 24'h10_0000,
    parameter WAKE_CLOCKS = 1024             // at least 35 us
) (
    input  wire       clk_i,
    input  wire       rst_ni,
    input  wire       start_i,
    input  wire       stop_i,
    output wire       valid_o,
    output wire [7:0] byte_o,
    input  wire       ready_i,

    output wire       flash_select_no,
    output wire       flash_clk_o,
    output wire       flash_data_o,
    input  wire       flash_data_i
);

    localparam [2:0] IDLE = 3'd0;
    localparam [2:0] WAKE = 3'd1;
    localparam [2:0] WAIT = 3'd2;
    localparam [2:0] READ = 3'd3;      // the command and its address go out
    localparam [2:0] BYTE = 3'd4;      // a byte comes in
    localparam [2:0] FULL = 3'd5;      // the byte waits to be taken

    reg [2:0]  state_q;
    reg        phase_q;        // the clock of the flash
    reg [15:0] left_q;         // bits, or clocks of the wait, that are left after this one
    reg [31:0] bits_q;         // what goes out, its next bit highest; what came in, lowest

    wire moves = state_q == WAKE || state_q == READ || state_q == BYTE;
    wire ends = phase_q && left_q == 16'd0;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) state_q <= IDLE;
        else if (stop_i) state_q <= IDLE;
        else case (state_q)
            IDLE: if (start_i) state_q <= WAKE;
            WAKE: if (ends) state_q <= WAIT;
            WAIT: if (left_q == 16'd0) state_q <= READ;
            READ: if (ends) state_q <= BYTE;
            BYTE: if (ends) state_q <= FULL;
            default: if (ready_i) state_q <= BYTE;
        endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) phase_q <= 1'b0;
        else phase_q <= moves && !phase_q;
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) left_q <= 16'd0;
        else if (state_q == IDLE || state_q == FULL) left_q <= 16'd7;
        else if (state_q == WAKE && ends) left_q <= WAKE_CLOCKS;
        else if (state_q == WAIT) left_q <= left_q == 16'd0 ? 16'd31 : left_q - 16'd1;
        else if (state_q == READ && ends) left_q <= 16'd7;
        else if (phase_q) left_q <= left_q - 16'd1;
    end

    // The flash takes a bit at the rising edge of its clock and gives the next one
    // at the falling edge.
    always @(posedge clk_i) begin
        if (state_q == IDLE) bits_q <= {8'hab, 24'd0};
        else if (state_q == WAIT) bits_q <= {8'h03, FIRST};
        else if (phase_q) bits_q <= {bits_q[30:0], sample_q};
    end

    reg sample_q;

    always @(posedge clk_i) sample_q <= flash_data_i;

    assign flash_select_no = !(moves || state_q == FULL);
    assign flash_clk_o = phase_q;
    assign flash_data_o = bits_q[31];
    assign valid_o = state_q == FULL;
    assign byte_o = bits_q[7:0];

endmodule
