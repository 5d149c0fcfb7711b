/* Runs a trial of the samples in samples.h and prints hash, answer and last output. */
#include <stdio.h>

#include "network.h"
#include "rate2spike.h"
#include "samples.h"

#ifdef SENSOR
#define SHOW(network, values, about) r2s_set_sample(network, values, about.sensors)
#else
#define SHOW(network, values, about) r2s_set_input(network, values, about.channels)
#endif

static uint64_t memory[NETWORK_MEMORY_BYTES / 8];

int main(void) {
    r2s_network *network;
    r2s_description about;
    uint32_t shown = UINT32_MAX;
    int32_t outputs[64] = {0}, answer = 0;
    uint64_t hash = 0, spikes = 0;
    static uint16_t fired[65535];
    if (r2s_open(NETWORK, NETWORK_BYTES, (uint8_t *)memory, sizeof memory, &network) != R2S_OK ||
        r2s_describe(network, &about) != R2S_OK || r2s_start(network, SEED, TRIAL) != R2S_OK)
        return 1;
    for (uint32_t step = 1; step <= about.steps; step++) {
        /* The first sample lasts half as long as the others, as in the published code. */
        uint32_t sample = (2 * step + about.steps_per_sample) / (2 * about.steps_per_sample);
        size_t count;
        if (sample >= SAMPLES) sample = SAMPLES - 1;
        if (sample != shown && SHOW(network, INPUT[sample], about) != R2S_OK) return 2;
        shown = sample;
        if (r2s_step(network) != R2S_OK) return 3;
        if (r2s_spikes(network, fired, 65535, &count) != R2S_OK) return 4;
        spikes += count;
    }
    if (r2s_outputs(network, outputs, 64) != R2S_OK || r2s_answer(network, &answer) != R2S_OK ||
        r2s_spike_hash(network, &hash) != R2S_OK)
        return 5;
    printf("%08lx%08lx %lu %ld %ld\n", (unsigned long)(hash >> 32),
           (unsigned long)(hash & 0xffffffffu), (unsigned long)spikes, (long)answer, (long)outputs[0]);
    return 0;
}
