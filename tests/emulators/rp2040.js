// A Raspberry Pi Pico in rp2040js: UART0 is a TCP port, the button and the
// light are lines on stdin and stdout.
//
//   node rp2040.js FIRMWARE.bin [NETWORK.snn] [--rom]
//
// FIRMWARE.bin lies at 0x1000_0000, the second boot stage first; NETWORK.snn at
// 0x1010_0000. On stdout: `port N` once, then `light on` and `light off`. On
// stdin: `press`, `release`, `cycles`, which is answered by `cycles N`, and
// `restart`, which starts the chip anew with its flash as it is.
//
// rp2040js has no boot ROM. With --rom there is one made of break points, whose
// functions to erase and write the flash are here.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { ConsoleLogger, GPIOPinState, LogLevel, RP2040 } from 'rp2040js';

const VECTORS = 0x10000100;
const NETWORK = 0x100000;
const LIGHT = 25;
const BUTTON = 15;
const UART_FIFO = 32;

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
chip.uart[0].onByte = (byte) => sent.push(byte);

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
    chip.clock.tick(core.executeInstruction() * nanoseconds);
  }
  const fifo = chip.uart[0].rxFIFO;
  while (taken < waiting.length && fifo.itemCount < UART_FIFO) {
    chip.uart[0].feedByte(waiting[taken++]);
  }
  if (sent.length > 0 && line) {
    line.write(Buffer.from(sent));
  }
  sent = [];
  setImmediate(execute);
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
