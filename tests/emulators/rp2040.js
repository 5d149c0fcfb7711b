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
// answered by `asleep SHARE` since the last time, `analog VALUE …` for GP26 and the pins behind
// it, `missed`, which is answered by `missed N` with the conversions that were lost, `hang`, which stops the firmware for ever, `stall MS`, which stops the first core for a
// while, `restart`, which starts the chip anew with its flash as
// it is, as a board does whose cable is unplugged and plugged in, and `replug`, the same for a
// board that has another supply. What UART0 sends without a connection is printed: `said SENTENCE`.
//
// rp2040js reads flash as fast as RAM. Here the flash has the chip's cache: 16 KiB, two
// lines of 8 bytes in each set, of which the one that was used longest ago is replaced. A
// line that is not there costs MISS cycles: by the settings of the second boot stage the
// flash takes 8 + 4 + 16 clocks for address, pause and line, each of two cycles; 8 more are
// assumed for the way. With --no-cache no line is ever missing.
//
// rp2040js has one core. Here are two: a second core of its class on the same memory and
// peripherals, with its own number, mailbox, and interrupt controller. The core whose time is
// behind makes the next instruction. Until it is started, the second core answers as the boot
// ROM does. Both wait for flash when either does; beside that, no core waits for the other on
// the way to the memory. A read of the flash while a function of the boot ROM writes it is
// named: `flash read while it is written`. `panic CORE ADDRESS` on stdin calls a function at
// this address on a core, whose arguments all are the place `harness.rs:7` in a source.
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
const image = imageOf(files[0]);
const network = files[1] ? read(files[1]) : null;

const paced = process.argv.includes('--paced');
const dropped = Number(setting('--drop=') ?? Infinity);

const chip = new RP2040();
if (process.argv.includes('--rom')) {
  installRom(chip);
}
chip.flash.set(image, 0);
if (network) {
  chip.flash.set(network, NETWORK);
}
let misses = 0;
let touched = false;
let flashFree = 0;
// Until when a function of the boot ROM works on the flash; null if none does.
let until = null;
const SECOND = installSecondCore(chip);
const { cores } = SECOND;
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

// The emulator's own property loses the number of a channel.
Object.defineProperty(chip.adc, 'activeChannel', {
  get: () => (chip.adc.cs >> 12) & 7,
  set: (channel) => (chip.adc.cs = (chip.adc.cs & ~(7 << 12)) | (channel << 12)),
});
// Conversions for which the queue had no room.
let missed = 0;
const completed = chip.adc.completeADCRead.bind(chip.adc);
chip.adc.completeADCRead = (value, error) => {
  missed += chip.adc.fifo.full ? 1 : 0;
  completed(value, error);
};
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
  restarts = true;
};
// A write to the watchdog's control register may ask for it in the midst of an instruction.
let restarts = false;

let asleep = 0;
let since = 0;

// A line has one other end: who comes while it is taken waits.
const others = [];
const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => {
    if (line === socket) {
      line = null;
      const next = others.shift();
      if (next) {
        connect(next);
      }
    } else if (others.includes(socket)) {
      others.splice(others.indexOf(socket), 1);
    }
  });
  if (line) {
    others.push(socket);
  } else {
    connect(socket);
  }
});

function connect(socket) {
  line = socket;
  waiting = Buffer.alloc(0);
  taken = 0;
  socket.on('data', (data) => {
    waiting = Buffer.concat([waiting.subarray(taken), data]);
    taken = 0;
  });
}

server.listen(0, '127.0.0.1', () => {
  console.log(`port ${server.address().port}`);
  setImmediate(execute);
});

createInterface({ input: process.stdin })
  .on('line', (command) => {
    if (command === 'press' || command === 'release') {
      chip.gpio[BUTTON].setInputValue(command === 'release');
    } else if (command === 'cycles') {
      console.log(`cycles ${cores[0].cycles}`);
    } else if (command === 'asleep') {
      console.log(`asleep ${asleep / (chip.clock.nanos - since)}`);
      asleep = 0;
      since = chip.clock.nanos;
    } else if (command.startsWith('analog ')) {
      command.slice(7).split(' ').forEach((value, pin) => (chip.adc.channelValues[pin] = Number(value)));
    } else if (command.startsWith('stall ')) {
      SECOND.ready[0] = chip.clock.nanos + 1e6 * Number(command.slice(6));
    } else if (command === 'lost') {
      console.log(`lost ${lost}`);
    } else if (command === 'missed') {
      console.log(`missed ${missed}`);
    } else if (command === 'hang') {
      SECOND.hung = true;
    } else if (command.startsWith('panic ')) {
      const [core, address] = command.slice(6).split(' ').map(Number);
      SECOND.call(core, address);
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
  const nanoseconds = 1e9 / chip.clkSys;
  for (let i = 0; i < 20000; i++) {
    const next = SECOND.next();
    if (next === null) {
      // Asleep until the next event, or for a while where none is known.
      let nap = chip.clock.nanosToNextAlarm || 1000;
      if (paced && taken < waiting.length) {
        nap = Math.max(Math.min(nap, due - chip.clock.nanos), 0);
        feedOnTime();
      }
      asleep += nap;
      chip.clock.tick(nap);
    } else {
      const passed = SECOND.ready[next] - chip.clock.nanos;
      if (passed > 0) {
        chip.clock.tick(passed);
      }
      SECOND.use(next);
      const core = cores[next];
      misses = 0;
      touched = false;
      let cycles = core.executeInstruction();
      if (touched) {
        // A line that the other core waits for comes first.
        const before = Math.max(flashFree - chip.clock.nanos, 0) / nanoseconds;
        const waited = before + MISS * misses;
        flashFree = chip.clock.nanos + waited * nanoseconds;
        core.cycles += waited;
        cycles += waited;
      }
      SECOND.ready[next] = chip.clock.nanos + cycles * nanoseconds;
      if (paced && taken < waiting.length) {
        feedOnTime();
      }
    }
    if (restarts) {
      restarts = false;
      reset();
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
  SECOND.stop();
  SECOND.use(0);
  SECOND.hung = false;
  until = null;
  for (const core of cores) {
    core.PM = false;
    core.IPSR = 0;
    core.currentMode = 0;
    core.SPSEL = 0;
    core.enabledInterrupts = 0;
    core.waiting = false;
    core.eventRegistered = false;
    core.VTOR = VECTORS;
  }
  cores[0].reset();
}

// Gives the chip its second core.
function installSecondCore(chip) {
  const WFE = 0xbf20;
  const CPU = 0x00;
  const [STATE, WRITE, READ] = [0x50, 0x54, 0x58];
  const [VALID, READY] = [1, 2];
  const MAILBOX = 8;
  const POWER = 0x40010;
  const PROCESSOR_1 = 1 << 16;
  // The memory protection unit, which the emulator leaves out: its registers keep what is
  // written.
  const [MPU, MPU_END] = [0xd90, 0xda4];
  const SCRATCH = 0x20041000;
  const { core, ppb, sio } = chip;
  const cores = [core, new core.constructor(chip)];
  const owns = [ppb, new ppb.constructor(chip, 'PPB')];
  const mail = [[], []];
  // The words that the boot ROM of the second core has taken; null while it runs a program.
  let taken = [];
  let current = 0;
  const second = {
    cores,
    // When each core has made its last instruction.
    ready: [0, 0],
    hung: false,
    use(index) {
      current = index;
      chip.core = cores[index];
      chip.ppb = owns[index];
    },
    // The core whose turn it is; null if both sleep.
    next() {
      const zero = !second.hung && isAwake(0);
      const one = taken === null && isAwake(1);
      if (zero && one) {
        return second.ready[1] < second.ready[0] ? 1 : 0;
      }
      return zero ? 0 : one ? 1 : null;
    },
    stop() {
      taken = [];
      mail.forEach((words) => words.splice(0));
      owns.forEach((own) => own.resetMpu());
    },
    call(index, address) {
      const file = Buffer.from('harness.rs');
      [SCRATCH + 16, file.length, 7, 1].forEach((word, i) => chip.writeUint32(SCRATCH + 4 * i, word));
      file.forEach((byte, i) => chip.writeUint8(SCRATCH + 16 + i, byte));
      const called = cores[index];
      called.registers.fill(SCRATCH, 0, 4);
      called.PC = address;
      called.waiting = false;
    },
  };

  function isAwake(index) {
    const it = cores[index];
    if (it.waiting) {
      if ((it.pendingInterrupts & it.enabledInterrupts) === 0) {
        return false;
      }
      // An interrupt came before the processor slept.
      second.use(index);
      if (!it.checkForInterrupts()) {
        return false;
      }
      it.waiting = false;
    }
    second.ready[index] = Math.max(second.ready[index], chip.clock.nanos);
    return true;
  }

  // An event wakes a core that waits for one, or is kept.
  function signal(it) {
    if (it.waiting && chip.readUint16(it.PC - 2) === WFE) {
      it.waiting = false;
    } else {
      it.eventRegistered = true;
    }
  }

  function post(index, word) {
    if (mail[index].length < MAILBOX) {
      mail[index].push(word);
    }
  }

  // The boot ROM of the second core: it sends each word back, and after 0, 0, 1, the table of
  // interrupts, the stack and a function it calls the function.
  function takeWord(word) {
    const wanted = [0, 0, 1, word, word, word][taken.length];
    taken = word === wanted ? [...taken, word] : word === 0 ? [0] : [];
    post(0, word);
    if (taken.length === 6) {
      const [vectors, stack, entry] = taken.slice(3);
      Object.assign(cores[1], { VTOR: vectors, SP: stack, PC: entry & ~1, waiting: false });
      second.ready[1] = chip.clock.nanos;
      taken = null;
    }
    signal(cores[0]);
  }

  chip.setInterrupt = (irq, value) => cores.forEach((it) => it.setInterrupt(irq, value));
  // The emulator says to its log that a core signals an event, and does no more.
  chip.logger = new (class extends ConsoleLogger {
    info(_name, message) {
      if (message === 'SEV') {
        cores.forEach(signal);
      }
    }
  })(LogLevel.Error, true);

  const readSio = sio.readUint32.bind(sio);
  sio.readUint32 = (offset) => {
    switch (offset) {
      case CPU:
        return current;
      case STATE:
        return (mail[current].length > 0 ? VALID : 0) | (mail[1 - current].length < MAILBOX ? READY : 0);
      case READ:
        return mail[current].shift() ?? 0;
      default:
        return readSio(offset);
    }
  };
  const writeSio = sio.writeUint32.bind(sio);
  sio.writeUint32 = (offset, value) => {
    if (offset === WRITE && current === 0 && taken !== null) {
      takeWord(value >>> 0);
    } else if (offset === WRITE) {
      post(1 - current, value >>> 0);
    } else if (offset !== STATE) {
      writeSio(offset, value);
    }
  };

  const power = chip.peripherals[POWER];
  const writePower = power.writeUint32.bind(power);
  power.writeUint32 = (offset, value) => {
    writePower(offset, value);
    if (power.frceOff & PROCESSOR_1) {
      second.stop();
    }
  };

  for (const own of owns) {
    const registers = new Map();
    const [read, write] = [own.readUint32.bind(own), own.writeUint32.bind(own)];
    const isMpu = (offset) => offset >= MPU && offset < MPU_END;
    own.readUint32 = (offset) => (isMpu(offset) ? (registers.get(offset) ?? 0) : read(offset));
    own.writeUint32 = (offset, value) => {
      if (isMpu(offset)) {
        registers.set(offset, value);
      } else {
        write(offset, value);
      }
    };
    own.resetMpu = () => registers.clear();
  }
  return second;
}

// The image of firmware or of firmware and network, as it lies in flash.
function imageOf(file) {
  const make = 'rate2spike deploy NET.snn --board rp2040 --content both --format bin -o pico.bin';
  if (!file) {
    refuse(`usage: node rp2040.js FIRMWARE.bin [NETWORK.snn]; this makes an image with a network: ${make}`);
  }
  const bytes = read(file);
  const begins = (text) => bytes.subarray(0, text.length).toString('latin1') === text;
  if (begins('UF2\n')) {
    refuse(`${file}: this is a UF2 file, and the emulator takes the plain bytes: ${make}`);
  }
  if (begins('R2S')) {
    refuse(`${file}: this is a network without a firmware; make an image with both: ${make}`);
  }
  return bytes;
}

function read(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    return refuse(`cannot read ${file}: ${error.message}`);
  }
}

function refuse(sentence) {
  console.error(sentence);
  process.exit(2);
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
    touched = true;
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
        if (until !== null) {
          console.log('flash read while it is written');
        }
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
  // The registers of the first core, which alone writes the flash.
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
