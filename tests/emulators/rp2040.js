// A Raspberry Pi Pico in rp2040js: UART0 is a TCP port, the button and the
// light are lines on stdin and stdout.
//
//   node rp2040.js FIRMWARE.bin [NETWORK.snn] [--rom] [--no-cache] [--usb] [--paced]
//     [--drop=N] [--recording=FILE:K] [--accelerometer=FILE]
//
// With --paced the bytes for UART0 arrive at 115,200 baud of the chip's time, whether the chip
// takes them or not: a byte for which its queue has no room is lost, and `lost` on stdin is
// answered by `lost N`. Erasing and writing the flash then take their time too. Without
// --paced a byte waits until there is room. With --drop=N each N-th byte for UART0 is lost.
//
// With --usb the TCP port is the serial line of the chip's USB port, and an open
// connection is the cable.
//
// FIRMWARE.bin lies at 0x1000_0000, the second boot stage first; NETWORK.snn at
// 0x1010_0000. On stdout: `port N` once, then `light on` and `light off`. On
// stdin: `press`, `release`, `cycles`, which is answered by `cycles N`, `asleep`, which is
// answered by `asleep SHARE` since the last time, `analog VALUE` for GP26, `hang`, which
// stops the firmware for ever, `restart`, which starts the chip anew with its flash as
// it is, as a board does whose cable is unplugged and plugged in, and `replug`, the same for a
// board that has another supply. What UART0 sends without a connection is printed: `said SENTENCE`.
//
// rp2040js reads flash as fast as RAM. Here the flash has the chip's cache: 16 KiB, two
// lines of 8 bytes in each set, of which the one that was used longest ago is replaced. A
// line that is not there costs MISS cycles: by the settings of the second boot stage the
// flash takes 8 + 4 + 16 clocks for address, pause and line, each of two cycles; 8 more are
// assumed for the way. With --no-cache no line is ever missing.
//
// With --recording=FILE:K the analog input GP26 plays the numbers in FILE, one after the other
// and over again; each of them lasts for K conversions. With --accelerometer=FILE a LIS3DH at
// GP4 and GP5 plays the numbers in FILE, three for each reading; its bus takes no time.
//
// rp2040js has no boot ROM. With --rom there is one made of break points, whose
// functions to erase and write the flash are here.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { ConsoleLogger, GPIOPinState, I2CMode, LogLevel, RP2040, USBCDC } from 'rp2040js';

const VECTORS = 0x10000100;
const NETWORK = 0x100000;
const LIGHT = 25;
const BUTTON = 15;
const UART_FIFO = 32;
const BYTE_NANOSECONDS = 1e10 / 115200;
// Typical times of the flash, by its data sheet: a sector of 4 KiB, a block of 64 KiB, a page.
const ERASE_SECTOR = 45e6;
const ERASE_BLOCK = 150e6;
const WRITE_PAGE = 0.4e6;
const MISS = 64;
const SETS = 1024;

const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const paced = process.argv.includes('--paced');
const dropped = Number(setting('--drop=') ?? Infinity);

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
reset();
chip.gpio[BUTTON].setInputValue(true);
chip.gpio[LIGHT].addListener((state) => {
  console.log(state === GPIOPinState.High ? 'light on' : 'light off');
});

let waiting = Buffer.alloc(0);
let taken = 0;
// When the next byte for a paced line arrives, the bytes so far, and those that were lost.
let due = 0;
let arrived = 0;
let lost = 0;
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

const recording = setting('--recording=');
if (recording) {
  const [file, conversions] = recording.split(':');
  play(chip.adc, numbers(file), Number(conversions));
}
const accelerometer = setting('--accelerometer=');
if (accelerometer) {
  // The pull-ups of the bus.
  [4, 5].forEach((pin) => chip.gpio[pin].setInputValue(true));
  accelerate(chip.i2c[0], numbers(accelerometer));
}

// A chip that stands still for too long starts anew.
const watchdog = chip.peripherals[0x40058];
watchdog.onWatchdogTrigger = () => {
  console.log('restarted by the watchdog');
  // The chip's start stops it, which the emulator leaves out.
  watchdog.timer.enable = false;
  watchdog.timer.set(0xffffff);
  watchdog.alarm.enable = false;
  chip.core.waiting = false;
  reset();
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
    } else if (command === 'lost') {
      console.log(`lost ${lost}`);
    } else if (command === 'hang') {
      // Asleep, with no interrupt that wakes it.
      chip.core.enabledInterrupts = 0;
      chip.core.waiting = true;
    } else if (command === 'restart') {
      usb?.plug();
      reset();
      console.log('restarted');
    } else if (command === 'replug') {
      usb.plug();
      chip.usbCtrl.resetDevice();
      console.log('plugged in');
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
      let nap = chip.clock.nanosToNextAlarm || 1000;
      if (paced && taken < waiting.length) {
        nap = Math.max(Math.min(nap, due - chip.clock.nanos), 0);
        feedOnTime();
      }
      asleep += nap;
      chip.clock.tick(nap);
      continue;
    }
    misses = 0;
    const cycles = core.executeInstruction();
    core.cycles += MISS * misses;
    chip.clock.tick((cycles + MISS * misses) * nanoseconds);
    if (paced && taken < waiting.length) {
      feedOnTime();
    }
  }
  if (usb !== null) {
    usb.deliver();
  } else if (!paced) {
    const fifo = chip.uart[0].rxFIFO;
    while (taken < waiting.length && fifo.itemCount < UART_FIFO) {
      feed();
    }
  }
  if (sent.length > 0 && line) {
    line.write(Buffer.from(sent));
  }
  sent = [];
  setImmediate(execute);
}

// Starts the chip as the boot ROM and the second boot stage do.
// The emulator's own reset sets the stack and the first instruction, and leaves the rest of
// the processor as it is: interrupts that were off would stay off.
function reset() {
  const { core } = chip;
  core.PM = false;
  core.IPSR = 0;
  core.currentMode = 0;
  core.SPSEL = 0;
  core.enabledInterrupts = 0;
  core.waiting = false;
  core.eventRegistered = false;
  core.VTOR = VECTORS;
  core.reset();
}

// What follows `name` in the arguments; undefined if nothing does.
function setting(name) {
  return process.argv.find((argument) => argument.startsWith(name))?.slice(name.length);
}

// The numbers in a file.
function numbers(file) {
  return readFileSync(file, 'latin1').trim().split(/\s+/).map(Number);
}

// A LIS3DH: a register that says what it is, and three axes of 16 bits, the lower byte first.
function accelerate(i2c, values) {
  const ADDRESS = 0x18;
  const WHO_AM_I = 0x0f;
  const FIRST_AXIS = 0x28;
  const LAST_AXIS = 0x2d;
  const registers = new Uint8Array(128);
  registers[WHO_AM_I] = 0x33;
  let register = null;
  let reading = 0;
  i2c.onConnect = (address, mode) => {
    if (mode === I2CMode.Write) {
      register = null;
    }
    i2c.completeConnect(address === ADDRESS);
  };
  i2c.onWriteByte = (value) => {
    if (register === null) {
      // The highest bit asks for register after register, as it is here anyway.
      register = value & 0x7f;
    } else {
      registers[register++] = value;
    }
    i2c.completeWrite(true);
  };
  i2c.onReadByte = () => {
    let value = registers[register];
    if (register >= FIRST_AXIS && register <= LAST_AXIS) {
      const axis = (register - FIRST_AXIS) >> 1;
      value = (values[(3 * reading + axis) % values.length] >> (8 * (register & 1))) & 0xff;
      reading += register === LAST_AXIS ? 1 : 0;
    }
    register += 1;
    i2c.completeRead(value);
  };
}

// Lets the converter read each of `values` for a number of conversions.
function play(adc, values, conversions) {
  let count = 0;
  adc.onADCRead = (channel) => {
    adc.channelValues[channel] = values[Math.floor(count / conversions) % values.length];
    count += 1;
    adc.currentChannel = channel;
    adc.sampleAlarm.schedule(adc.sampleTime * 1000);
  };
}

// The next byte for UART0.
function feed() {
  const byte = waiting[taken++];
  arrived += 1;
  if (arrived % dropped === 0) {
    return;
  }
  if (chip.uart[0].rxFIFO.itemCount < UART_FIFO) {
    chip.uart[0].feedByte(byte);
  } else {
    lost += 1;
  }
}

// Feeds the bytes whose time has come. After a pause the first byte comes at once.
function feedOnTime() {
  const now = chip.clock.nanos;
  due = Math.max(due, now - BYTE_NANOSECONDS);
  while (taken < waiting.length && due <= now) {
    feed();
    due += BYTE_NANOSECONDS;
  }
}

// The host at the other end of the USB cable. Bytes go to the chip once it has offered its
// buffer for them, which it does again after each packet.
function usbLine(chip) {
  const PACKET = 64;
  let host = null;
  let offered = 0;
  const plug = () => {
    host = new USBCDC(chip.usbCtrl);
    offered = 0;
    host.onSerialData = (data) => sent.push(...data);
    chip.usbCtrl.onEndpointRead = (endpoint, size) => {
      // The firmware offers its buffers before the host knows their numbers.
      if (endpoint !== 0) {
        offered = endpoint;
      }
    };
  };
  plug();
  return {
    plug,
    deliver() {
      const count = Math.min(PACKET, waiting.length - taken);
      if (!host.initialized || offered !== host.outEndpoint || count === 0) {
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
  // Each function returns the nanoseconds that it takes.
  const functions = {
    IF: () => 0,
    EX: () => 0,
    RE: () => {
      const [address, bytes, block] = registers;
      chip.flash.fill(0xff, address, address + bytes);
      return bytes % block === 0 ? (bytes / block) * ERASE_BLOCK : (bytes / 4096) * ERASE_SECTOR;
    },
    // Flash can only be written from one to zero.
    RP: () => {
      for (let i = 0; i < registers[2]; i++) {
        chip.flash[registers[0] + i] &= chip.readUint8(registers[1] + i);
      }
      return (registers[2] / 256) * WRITE_PAGE;
    },
    FC: () => 0,
    CX: () => 0,
  };
  let until = null;
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
    // again: bkpt; cmp r3, #0; bne again; bx lr
    const address = FUNCTIONS + 8 * i;
    rom.setUint16(TABLE + 4 * i, code.charCodeAt(0) | (code.charCodeAt(1) << 8), true);
    rom.setUint16(TABLE + 4 * i + 2, address | 1, true);
    rom.setUint16(address, 0xbe00 | i, true);
    [0x2b00, 0xd1fc, 0x4770].forEach((opcode, k) => rom.setUint16(address + 2 + 2 * k, opcode, true));
  });
  // A function does its work at once, and is asked again until its time has passed; interrupts
  // come meanwhile.
  chip.onBreak = (number) => {
    if (until === null) {
      const time = Object.values(functions)[number]();
      until = chip.clock.nanos + (paced ? time : 0);
    }
    registers[3] = chip.clock.nanos < until ? 1 : 0;
    if (registers[3] === 0) {
      until = null;
    }
  };
}
