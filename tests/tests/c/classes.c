/* Runs a trial of a network of classes and prints the names of all classes. */
#include <stdio.h>
#include <string.h>

#include "network.h"
#include "rate2spike.h"

static uint64_t memory[NETWORK_MEMORY_BYTES / 8];

int main(void) {
    r2s_network *network;
    r2s_description about;
    int32_t outputs[64], answer = -1, faults = 0;
    int16_t input[16] = {0};
    char name[25] = "untouched";
    if (r2s_open(NETWORK, NETWORK_BYTES, (uint8_t *)memory, sizeof memory, &network) != R2S_OK ||
        r2s_describe(network, &about) != R2S_OK || r2s_start(network, 1, 1) != R2S_OK)
        return 1;
    for (uint32_t step = 0; step < about.steps; step++) {
        input[0] = (int16_t)(4096 * (step % 40 < 20 ? 1 : -1));
        if (r2s_set_input(network, input, about.channels) != R2S_OK) return 2;
        if (r2s_step(network) != R2S_OK) return 3;
    }
    faults += r2s_outputs(network, outputs, about.outputs - 1u) != R2S_CAPACITY;
    faults += r2s_outputs(network, outputs, about.outputs) != R2S_OK;
    faults += r2s_answer(network, &answer) != R2S_OK;
    faults += answer < 0 || answer >= about.outputs;
    faults += r2s_class_name(NULL, 0, name, sizeof name) != R2S_NULL;
    faults += r2s_class_name(network, 0, NULL, sizeof name) != R2S_NULL;
    faults += r2s_class_name(network, 0, name, 4) != R2S_CAPACITY;
    faults += r2s_class_name(network, 0, name, 0) != R2S_CAPACITY;
    faults += strcmp(name, "untouched") != 0;
    for (int32_t other = -1; other <= 69999; other += 70000) {
        faults += r2s_class_name(network, other, name, sizeof name) != R2S_OK || name[0] != 0;
    }
    faults += r2s_class_name(network, about.outputs, name, sizeof name) != R2S_OK || name[0] != 0;
    printf("%u outputs:", (unsigned)about.outputs);
    for (uint16_t class = 0; class < about.outputs; class++) {
        faults += r2s_class_name(network, class, name, sizeof name) != R2S_OK;
        printf(" %s", name);
    }
    printf(", %ld faults\n", (long)faults);
    return faults != 0;
}
