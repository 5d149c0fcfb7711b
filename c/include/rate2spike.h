/* The spiking core of rate2spike for C and C++.
 *
 * A network is a file NET.snn, which `rate2spike pipeline` writes, in memory or
 * in flash. All memory is the caller's; the library has no state of its own, so
 * that each network can run in a thread or a task of its own. Calls for one network
 * must not overlap.
 *
 * In this order:
 *
 *   r2s_memory_bytes(blob, length, &needed);            how much memory to give
 *   r2s_open(blob, length, memory, needed, &network);   checks the bytes
 *   r2s_describe(network, &description);                channels, outputs, steps
 *   r2s_start(network, seed, trial);
 *   for n = 1 to description.steps:
 *     where a sample begins:
 *       r2s_set_sample(network, sample, sensors);       if description.sensors is not 0,
 *       r2s_set_input(network, values, channels);       else
 *     r2s_step(network);
 *   r2s_answer(network, &answer);
 *
 * A function returns R2S_OK, or the reason why it did nothing. The lines under "Needs:"
 * say what a function takes on trust.
 *
 * Made from c/src by cbindgen; the tests compare it.
 */

#ifndef RATE2SPIKE_H
#define RATE2SPIKE_H

#include <stddef.h>
#include <stdint.h>

// The result of a function: 0, or the reason why it did nothing.
enum r2s_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Done.
  R2S_OK = 0,
  // A pointer is NULL.
  R2S_NULL = 1,
  // The bytes are fewer than the network's header announces.
  R2S_SHORT = 2,
  // The bytes do not begin with "R2SN": they are not a network.
  R2S_NOT_A_NETWORK = 3,
  // The network was written by another version of rate2spike.
  R2S_LAYOUT = 4,
  // The check sum differs: the network is damaged.
  R2S_CHECKSUM = 5,
  // The check sum is right and the content is not.
  R2S_CONTENT = 6,
  // The memory is smaller than r2s_memory_bytes says.
  R2S_MEMORY = 7,
  // No trial was started.
  R2S_NOT_STARTED = 8,
  // The number of values is not the one that the network's description has.
  R2S_CHANNELS = 9,
  // The array is too small for the values.
  R2S_CAPACITY = 10,
  // The self-test ran, and its spikes are other ones than those stored.
  R2S_SELF_TEST = 11,
  // The network's numbers are f32, and this library steps fixed point.
  R2S_ARITHMETIC = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum r2s_status r2s_status;
#else
typedef int32_t r2s_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A network that is open. It lies in the caller's memory; its tables are behind
// it there.
typedef struct r2s_network r2s_network;

// What a network is.
typedef struct r2s_description {
  // Number of units.
  uint16_t units;
  // Number of input channels.
  uint16_t channels;
  // Number of integers of a sensor's sample, which `r2s_set_sample` takes; 0 if
  // the network carries no preprocessing.
  uint16_t sensors;
  // Number of outputs.
  uint16_t outputs;
  // Length of a time step in nanoseconds.
  uint32_t step_ns;
  // Time steps of a trial.
  uint32_t steps;
  // Time steps of an input sample.
  uint32_t steps_per_sample;
  // Number of synapses.
  uint32_t synapses;
  // Bytes of the network.
  uint32_t bytes;
  // The check sum, which tells networks apart.
  uint32_t checksum;
} r2s_description;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Says how many bytes of memory the network in `length` bytes from `blob` on
// needs.
//
// Needs:
// `blob` points to `length` bytes, `needed` to one number.
r2s_status r2s_memory_bytes(const uint8_t *blob, size_t length, size_t *needed);

// Checks the network in `length` bytes from `blob` on and opens it in
// `memory`. The bytes may go on behind the network. Bytes and memory stay where they
// are, and belong to the network, until the caller no longer uses it; there is nothing
// to close.
//
// Needs:
// `blob` points to `length` bytes that do not change, `memory` to
// `memory_bytes` bytes of the caller's, of any alignment, and `network` to one
// pointer.
r2s_status r2s_open(const uint8_t *blob,
                    size_t length,
                    uint8_t *memory,
                    size_t memory_bytes,
                    struct r2s_network **network);

// Describes a network.
//
// Needs:
// `network` came from r2s_open, `description` points to one description.
r2s_status r2s_describe(const struct r2s_network *network, struct r2s_description *description);

// Starts a trial: synapses empty, each unit in its refractory time, potentials
// and noise drawn from `seed` and `trial`, input zero. The two numbers may be any; the
// same two give the same spikes on every machine.
//
// Needs:
// `network` came from r2s_open.
r2s_status r2s_start(struct r2s_network *network, uint64_t seed, uint64_t trial);

// Sets the input from the next step on: a value for each channel. A value of 1.0, as
// the task has it, is 4096. The input stays until it is set again. A network that carries
// a preprocessing takes the results of it here; `r2s_set_sample` calculates them.
//
// In the trials of `rate2spike run`, step n (from 1) shows sample (2 n + s) / (2 s), where s
// is `steps_per_sample` and samples count from 0: the first sample lasts half as long as
// the others. Samples that arrive from a sensor are set when they arrive.
//
// Needs:
// `network` came from r2s_open, `values` points to `channels` numbers.
r2s_status r2s_set_input(struct r2s_network *network, const int16_t *values, size_t channels);

// Sets the input from the next step on from a sensor's integers, as they were
// recorded: the preprocessing that the network carries makes the value of each
// channel from them. Call it once for each sample of the network, which lasts
// `steps_per_sample` steps, in the order of the samples; a recorded sample that lasts
// longer is set again.
//
// Needs:
// `network` came from r2s_open, `sample` points to `sensors` numbers.
r2s_status r2s_set_sample(struct r2s_network *network, const int32_t *sample, size_t sensors);

// Makes a time step of the network, as fast as the processor can. A program that lives in
// real time calls it every `step_ns` nanoseconds. Steps may go on behind the end of a trial:
// the answer then stays, and the hash counts them too.
//
// Needs:
// `network` came from r2s_open.
r2s_status r2s_step(struct r2s_network *network);

// Reads the outputs after the last step, one number for each output. An output of
// 1.0 is 2^26.
//
// Needs:
// `network` came from r2s_open, `outputs` points to `capacity` numbers.
r2s_status r2s_outputs(const struct r2s_network *network, int32_t *outputs, size_t capacity);

// Lists the units that fired in the last step, counted from 0, in ascending order. An
// array with room for all units of the network is always large enough.
//
// Needs:
// `network` came from r2s_open, `units` points to `capacity` numbers, `count`
// to one.
r2s_status r2s_spikes(const struct r2s_network *network,
                      uint16_t *units,
                      size_t capacity,
                      size_t *count);

// Reads the answer to the trial so far: the number of the class, or the label of
// the task (docs/tasks.md), for instance 1 for go and 0 for no-go. The answer is final
// after the last step of the trial; see `steps` of the description. A network whose
// outputs follow a target has no answer, and gives 0.
//
// Needs:
// `network` came from r2s_open, `answer` points to one number.
r2s_status r2s_answer(const struct r2s_network *network, int32_t *answer);

// Copies the name of the class `answer`, ended by a zero; an empty text where the
// network has no such class. 25 bytes are enough for each name.
//
// Needs:
// `network` came from r2s_open, `text` points to `capacity` bytes.
r2s_status r2s_class_name(const struct r2s_network *network,
                          int32_t answer,
                          char *text,
                          size_t capacity);

// Reads the hash of the trial's spikes so far: FNV-1a, 64 bits, over the step (from 1,
// 4 bytes) and the unit (from 0, 2 bytes) of each spike, the least byte first. The self-test
// compares such a hash, and so does `rate2spike run --on`, trial by trial.
//
// Needs:
// `network` came from r2s_open, `hash` points to one number.
r2s_status r2s_spike_hash(const struct r2s_network *network, uint64_t *hash);

// Runs the trial that the network carries and compares its spikes with those
// stored: R2S_OK if they are equal, R2S_SELF_TEST if not. Takes as long as the steps of a
// trial without a pause; an earlier trial ends, so that r2s_start comes next.
//
// Needs:
// `network` came from r2s_open.
r2s_status r2s_self_test(struct r2s_network *network);

// The name of a status code, for instance "R2S_CHECKSUM"; "unknown" for
// another number. The text lives as long as the program.
const char *r2s_status_name(int32_t code);

// A sentence on a status code that says what to do; "unknown" for another
// number. The text lives as long as the program.
const char *r2s_status_text(int32_t code);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RATE2SPIKE_H */
