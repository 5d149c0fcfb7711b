/* Calls each function with wrong arguments: each is answered by its status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "rate2spike.h"

static int faults;

static void expect(int line, int32_t found, int32_t wanted) {
    if (found == wanted) return;
    printf("line %d: %s instead of %s\n", line, r2s_status_name(found), r2s_status_name(wanted));
    faults++;
}
#define EXPECT(call, status) expect(__LINE__, call, status)

int main(void) {
    uint8_t *bytes = malloc(NETWORK_BYTES);
    size_t needed = 0, count = 0;
    r2s_network *network = NULL;
    r2s_description about;
    int16_t values[17] = {0};
    int32_t number;
    uint16_t units[1];
    uint64_t hash;
    memcpy(bytes, NETWORK, NETWORK_BYTES);

    EXPECT(r2s_memory_bytes(NULL, 9, &needed), R2S_NULL);
    EXPECT(r2s_memory_bytes(bytes, NETWORK_BYTES, NULL), R2S_NULL);
    EXPECT(r2s_memory_bytes(bytes, 0, &needed), R2S_SHORT);
    EXPECT(r2s_memory_bytes(bytes, NETWORK_BYTES - 1, &needed), R2S_SHORT);
    EXPECT(r2s_memory_bytes(bytes, NETWORK_BYTES, &needed), R2S_OK);
    if (needed > NETWORK_MEMORY_BYTES) {
        printf("%zu bytes needed, %u announced\n", needed, NETWORK_MEMORY_BYTES);
        faults++;
    }

    /* Exactly the memory that is needed, at each alignment. */
    uint8_t *memory = malloc(needed + 16);
    for (size_t offset = 0; offset < 16; offset++) {
        EXPECT(r2s_open(bytes, NETWORK_BYTES, memory + offset, needed, &network), R2S_OK);
        EXPECT(r2s_start(network, 1, 1), R2S_OK);
        EXPECT(r2s_step(network), R2S_OK);
    }
    for (size_t less = 16; less < needed; less += 101)
        EXPECT(r2s_open(bytes, NETWORK_BYTES, memory, needed - less, &network), R2S_MEMORY);
    EXPECT(r2s_open(bytes, NETWORK_BYTES, NULL, needed, &network), R2S_NULL);
    EXPECT(r2s_open(bytes, NETWORK_BYTES, memory, needed, NULL), R2S_NULL);
    EXPECT(r2s_open(NULL, NETWORK_BYTES, memory, needed, &network), R2S_NULL);

    bytes[0] ^= 1;
    EXPECT(r2s_open(bytes, NETWORK_BYTES, memory, needed, &network), R2S_NOT_A_NETWORK);
    bytes[0] ^= 1;
    bytes[4] = 255;
    EXPECT(r2s_open(bytes, NETWORK_BYTES, memory, needed, &network), R2S_LAYOUT);
    bytes[4] = NETWORK[4];
    for (size_t at = 12; at < NETWORK_BYTES; at += 7) {
        bytes[at] ^= 16;
        EXPECT(r2s_open(bytes, NETWORK_BYTES, memory, needed, &network), R2S_CHECKSUM);
        bytes[at] ^= 16;
    }

    EXPECT(r2s_open(bytes, NETWORK_BYTES, memory, needed, &network), R2S_OK);
    EXPECT(r2s_describe(NULL, &about), R2S_NULL);
    EXPECT(r2s_describe(network, NULL), R2S_NULL);
    EXPECT(r2s_describe(network, &about), R2S_OK);
    EXPECT(r2s_step(NULL), R2S_NULL);
    EXPECT(r2s_step(network), R2S_NOT_STARTED);
    EXPECT(r2s_set_input(network, values, about.channels), R2S_NOT_STARTED);
    EXPECT(r2s_outputs(network, &number, 1), R2S_NOT_STARTED);
    EXPECT(r2s_answer(network, &number), R2S_NOT_STARTED);
    EXPECT(r2s_spikes(network, units, 1, &count), R2S_NOT_STARTED);
    EXPECT(r2s_spike_hash(network, &hash), R2S_NOT_STARTED);
    EXPECT(r2s_start(NULL, 1, 1), R2S_NULL);
    EXPECT(r2s_start(network, 1, 1), R2S_OK);
    EXPECT(r2s_set_sample(network, NULL, 1), R2S_NULL);
    EXPECT(r2s_set_sample(network, &number, about.sensors + 1), R2S_CHANNELS);
    EXPECT(r2s_set_input(network, NULL, about.channels), R2S_NULL);
    EXPECT(r2s_set_input(network, values, about.channels + 1), R2S_CHANNELS);
    EXPECT(r2s_set_input(network, values, 0), R2S_CHANNELS);
    EXPECT(r2s_set_input(network, values, about.channels), R2S_OK);
    EXPECT(r2s_outputs(network, &number, 0), R2S_CAPACITY);
    EXPECT(r2s_outputs(network, NULL, 1), R2S_NULL);
    EXPECT(r2s_answer(network, NULL), R2S_NULL);
    EXPECT(r2s_spike_hash(network, NULL), R2S_NULL);
    EXPECT(r2s_spikes(network, NULL, 1, &count), R2S_NULL);
    EXPECT(r2s_spikes(network, units, 1, NULL), R2S_NULL);

    /* Some step has two spikes or more, for which there is no room. */
    int32_t status = R2S_OK;
    for (uint32_t step = 0; step < about.steps && status == R2S_OK; step++) {
        EXPECT(r2s_step(network), R2S_OK);
        status = r2s_spikes(network, units, 1, &count);
    }
    EXPECT(status, R2S_CAPACITY);

    /* A self-test ends the trial; the network then starts as before. */
    EXPECT(r2s_self_test(NULL), R2S_NULL);
    EXPECT(r2s_self_test(network), R2S_OK);
    EXPECT(r2s_step(network), R2S_NOT_STARTED);
    EXPECT(r2s_start(network, 1, 1), R2S_OK);
    EXPECT(r2s_step(network), R2S_OK);

    if (strcmp(r2s_status_name(R2S_LAYOUT), "R2S_LAYOUT") != 0) faults++;
    if (strcmp(r2s_status_name(-1), "unknown") != 0) faults++;
    if (strcmp(r2s_status_text(13), "unknown") != 0) faults++;
    if (strlen(r2s_status_text(R2S_LAYOUT)) < 20) faults++;
    if (strstr(r2s_status_text(R2S_ARITHMETIC), "f32") == NULL) faults++;
    printf("%d faults\n", faults);
    free(memory);
    free(bytes);
    return faults != 0;
}
