// A Raspberry Pi Pico in rp2040js: UART0 is a TCP port, the button and the
// light are lines on stdin and stdout.
//
//   node rp2040.js FIRMWARE.bin [NETWORK.snn] [--rom] [--no-cache] [--usb]
//
// With --usb the TCP port is the serial line of the chip's USB port, and an open
// connection is the cable.
//
// FIRMWARE.bin lies at 0x1000_0000, the second boot stage first; NETWORK.snn at
// 0x1010_0000. On stdout: `port N` once, then `light on` and `light off`. On
// stdin: `press`, `release`, `cycles`, which is answered by `cycles N`, `asleep`, which is
// answered by `asleep SHARE` since the last time, `analog VALUE` for GP26, `hang`, which
// stops the firmware for ever, and `restart`, which starts the chip anew with its flash as
// it is. What UART0 sends without a connection is printed: `said SENTENCE`.
//
// rp2040js reads flash as fast as RAM. Here the flash has the chip's cache: 16 KiB, two
// lines of 8 bytes in each set, of which the one that was used longest ago is replaced. A
// line that is not there costs MISS cycles: by the settings of the second boot stage the
// flash takes 8 + 4 + 16 clocks for address, pause and line, each of two cycles; 8 more are
// assumed for the way. With --no-cache no line is ever missing.
//
// rp2040js has no boot ROM. With --rom there is one made of break points, whose
// functions to erase and write the flash are here.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { ConsoleLogger, GPIOPinState, LogLevel, RP2040, USBCDC } from 'rp2040js';

const VECTORS = 0x10000100;
const NETWORK = 0x100000;
const LIGHT = 25;
const BUTTON = 15;
const UART_FIFO = 32;
const MISS = 64;
const SETS = 1024;

const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const chip = new RP2040();
chip.logger = new ConsoleLogger(LogLevel.Error, true);
if (process.argv.includes('--rom')) {
  installRom(chip);
}
chip.flash.set(readFileSync(files[0]), 0);
if (files[1]) {
  chip.flash.set(readFileSync(files[1]), NETWORK);
}
let misses = 0;
if (!process.argv.includes('--no-cache')) {
  installCache(chip);
}
chip.core.VTOR = VECTORS;
chip.core.reset();
chip.gpio[BUTTON].setInputValue(true);
chip.gpio[LIGHT].addListener((state) => {
  console.log(state === GPIOPinState.High ? 'light on' : 'light off');
});

let waiting = Buffer.alloc(0);
let taken = 0;
let line = null;
let sent = [];
let sentence = [];
chip.uart[0].onByte = (byte) => {
  if (usb === null) {
    sent.push(byte);
  }
  if (byte !== 0) {
    sentence.push(byte);
  } else {
    const text = Buffer.from(sentence).toString('latin1').trim();
    if (line === null || usb !== null) {
      console.log(`said ${text}`);
    }
    sentence = [];
  }
};
const usb = process.argv.includes('--usb') ? usbLine(chip) : null;

// A chip that stands still for too long starts anew.
const watchdog = chip.peripherals[0x40058];
watchdog.onWatchdogTrigger = () => {
  console.log('restarted by the watchdog');
  // The chip's start stops it, which the emulator leaves out.
  watchdog.timer.enable = false;
  watchdog.timer.set(0xffffff);
  watchdog.alarm.enable = false;
  chip.core.waiting = false;
  chip.core.reset();
};

let asleep = 0;
let since = 0;

const server = createServer((socket) => {
  socket.setNoDelay(true);
  line = socket;
  waiting = Buffer.alloc(0);
  taken = 0;
  socket.on('data', (data) => {
    waiting = Buffer.concat([waiting.subarray(taken), data]);
    taken = 0;
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (line === socket) {
      line = null;
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`port ${server.address().port}`);
  setImmediate(execute);
});

createInterface({ input: process.stdin })
  .on('line', (command) => {
    if (command === 'press' || command === 'release') {
      chip.gpio[BUTTON].setInputValue(command === 'release');
    } else if (command === 'cycles') {
      console.log(`cycles ${chip.core.cycles}`);
    } else if (command === 'asleep') {
      console.log(`asleep ${asleep / (chip.clock.nanos - since)}`);
      asleep = 0;
      since = chip.clock.nanos;
    } else if (command.startsWith('analog ')) {
      chip.adc.channelValues[0] = Number(command.slice(7));
    } else if (command === 'hang') {
      // Asleep, with no interrupt that wakes it.
      chip.core.enabledInterrupts = 0;
      chip.core.waiting = true;
    } else if (command === 'restart') {
      chip.core.reset();
      console.log('restarted');
    }
  })
  .on('close', () => process.exit(0));

function execute() {
  const { core } = chip;
  const nanoseconds = 1e9 / chip.clkSys;
  for (let i = 0; i < 20000; i++) {
    if (core.waiting && core.checkForInterrupts()) {
      // An interrupt came before the processor slept.
      core.waiting = false;
    }
    if (core.waiting) {
      // Asleep until the next event, or for a while where none is known.
      const nap = chip.clock.nanosToNextAlarm || 1000;
      asleep += nap;
      chip.clock.tick(nap);
      continue;
    }
    misses = 0;
    const cycles = core.executeInstruction();
    core.cycles += MISS * misses;
    chip.clock.tick((cycles + MISS * misses) * nanoseconds);
  }
  if (usb !== null) {
    usb.deliver();
  } else {
    const fifo = chip.uart[0].rxFIFO;
    while (taken < waiting.length && fifo.itemCount < UART_FIFO) {
      chip.uart[0].feedByte(waiting[taken++]);
    }
  }
  if (sent.length > 0 && line) {
    line.write(Buffer.from(sent));
  }
  sent = [];
  setImmediate(execute);
}

// The host at the other end of the USB cable. Bytes go to the chip once it has offered its
// buffer for them, which it does again after each packet.
function usbLine(chip) {
  const host = new USBCDC(chip.usbCtrl);
  const PACKET = 64;
  let offered = 0;
  host.onSerialData = (data) => sent.push(...data);
  chip.usbCtrl.onEndpointRead = (endpoint, size) => {
    // The firmware offers its buffers before the host knows their numbers.
    if (endpoint !== 0) {
      offered = endpoint;
    }
  };
  return {
    deliver() {
      const count = Math.min(PACKET, waiting.length - taken);
      if (offered !== host.outEndpoint || count === 0) {
        return;
      }
      offered = 0;
      const data = Uint8Array.from(waiting.subarray(taken, taken + count));
      taken += count;
      chip.usbCtrl.endpointReadDone(host.outEndpoint, data);
    },
  };
}

// Counts the reads of the flash that miss its cache.
function installCache(chip) {
  const FLASH = 0x10000000 >>> 24;
  // The line in each place of a set, -1 for none; the first one was used last.
  const first = new Int32Array(SETS).fill(-1);
  const second = new Int32Array(SETS).fill(-1);
  const look = (address) => {
    const line = address >>> 3;
    const set = line & (SETS - 1);
    if (first[set] === line) {
      return;
    }
    if (second[set] !== line) {
      misses += 1;
    }
    second[set] = first[set];
    first[set] = line;
  };
  for (const name of ['readUint32', 'readUint16', 'readUint8']) {
    const read = chip[name].bind(chip);
    chip[name] = (address) => {
      if (address >>> 24 === FLASH) {
        look(address);
      }
      return read(address);
    };
  }
}

// The boot ROM's magic, its table of functions, the function that looks one up,
// and break points in place of the functions themselves.
function installRom(chip) {
  const rom = new DataView(chip.bootrom.buffer);
  const TABLE = 0x40;
  const LOOKUP = 0x80;
  const FUNCTIONS = 0x100;
  const registers = chip.core.registers;
  const functions = {
    IF: () => {},
    EX: () => {},
    RE: () => chip.flash.fill(0xff, registers[0], registers[0] + registers[1]),
    // Flash can only be written from one to zero.
    RP: () => {
      for (let i = 0; i < registers[2]; i++) {
        chip.flash[registers[0] + i] &= chip.readUint8(registers[1] + i);
      }
    },
    FC: () => {},
    CX: () => {},
  };
  rom.setUint32(0x10, 0x01754d, true);
  rom.setUint16(0x14, TABLE, true);
  rom.setUint16(0x18, LOOKUP | 1, true);
  // loop: ldrh r2, [r0]; cmp r2, #0; beq none; cmp r2, r1; beq found;
  // adds r0, #4; b loop; found: ldrh r0, [r0, #2]; bx lr; none: movs r0, #0;
  // bx lr
  const lookup = [
    0x8802, 0x2a00, 0xd005, 0x428a, 0xd001, 0x3004, 0xe7f8, 0x8840, 0x4770, 0x2000, 0x4770,
  ];
  lookup.forEach((opcode, i) => rom.setUint16(LOOKUP + 2 * i, opcode, true));
  Object.keys(functions).forEach((code, i) => {
    const address = FUNCTIONS + 4 * i;
    rom.setUint16(TABLE + 4 * i, code.charCodeAt(0) | (code.charCodeAt(1) << 8), true);
    rom.setUint16(TABLE + 4 * i + 2, address | 1, true);
    rom.setUint16(address, 0xbe00 | i, true);
    rom.setUint16(address + 2, 0x4770, true);
  });
  chip.onBreak = (number) => Object.values(functions)[number]();
}
