/**
 * Classic BPF to JavaScript: the machine of "The BSD Packet Filter" (McCanne, Jacobson, 1993) as bpf(4) describes it, which
 * is what libpcap compiles filters to.
 *
 * @packageDocumentation
 */
import { ConfigError } from '../config/config-error.js'

/** Whether a frame is wanted: not 0. `offset` and `length` say where it lies in `view`. Throws nothing, reads nothing else. */
export type FrameFilter = (view: DataView, offset: number, length: number) => number

/** Words of one instruction: code, jt, jf, k. */
export const INSTRUCTION_WORDS = 4

/** Most instructions; as Linux'. */
export const MAX_INSTRUCTIONS = 4096

/** Classes of instructions, and the parts of their codes. As in bpf(4). */
const Class = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, ret: 6, misc: 7 } as const
const Size = { w: 0x00, h: 0x08, b: 0x10 } as const
const Mode = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, len: 0x80, msh: 0xa0 } as const
const FROM_X = 0x08
const RETURN_A = 0x10
const TXA = 0x80
const MEMORY = 16

/** A longer jump is one back. */
const MAX_JUMP = 2 ** 31 - 1

/** Linux' and libpcap's loads of what is beside a frame, such as its direction, are from here on. */
const BESIDE_FRAME = 0xffff_f000

/**
 * Makes a function of a filter's instructions. Nothing enters its source but numbers that were checked here.
 *
 * All jumps lead forward. So each target ends a block that begins with the program, and a jump leaves that block.
 *
 * @throws ConfigError for what is no program: jumps that lead out of it, unknown instructions, no end
 */
export function compileBpf(program: Uint32Array): FrameFilter {
  const count = program.length / INSTRUCTION_WORDS
  if (!Number.isInteger(count) || count === 0) throw refusal('is no list of instructions')
  if (count > MAX_INSTRUCTIONS) {
    throw refusal(`becomes ${count} instructions, more than ${MAX_INSTRUCTIONS}`, 'make it shorter')
  }
  const body: string[] = []
  const targets = new Set<number>()
  for (let at = 0; at < count; at++) {
    const [code, jt, jf, k] = program.subarray(4 * at, 4 * at + 4) as unknown as Instruction
    const jump = (by: number) => {
      if (by > MAX_JUMP) throw refusal('has a loop', "leave 'protochain' out, as Linux does")
      const target = at + 1 + by
      if (target >= count) throw refusal(`has a jump out of its end at ${at}`)
      if (by === 0) return ''
      targets.add(target)
      return `break L${target}`
    }
    const text = (code & 7) === Class.jmp ? branch(code, k, jt, jf, jump) : simple(code, k)
    if (text === undefined) throw refusal(`has an unknown instruction ${code} at ${at}`)
    body.push(text)
  }
  if (((program[4 * (count - 1)] as number) & 7) !== Class.ret) throw refusal('does not end')
  const lines = [...targets].sort((a, b) => b - a).map((target) => `L${target}:{`)
  body.forEach((text, at) => {
    if (targets.has(at)) lines.push('}')
    lines.push(text)
  })
  const memory = Array.from({ length: MEMORY }, (_, i) => `m${i}=0`).join(',')
  const source = `'use strict';let a=0,x=0,p=0,${memory};\n${lines.join('\n')}\nreturn 0`
  return new Function('view', 'offset', 'length', source) as FrameFilter
}

type Instruction = readonly [code: number, jt: number, jf: number, k: number]

/** An instruction that is no jump; undefined: none. Registers are 32 bits, kept as JavaScript keeps them best, with a sign. */
function simple(code: number, k: number): string | undefined {
  switch (code & 7) {
    case Class.ld:
      return load(code, k)
    case Class.ldx:
      if (code === (Class.ldx | Size.b | Mode.msh)) {
        return `if(${k}>=length)return 0;x=(view.getUint8(offset+${k})&15)<<2`
      }
      return code === Class.ldx || isLoadOf(code, Mode.mem) || isLoadOf(code, Mode.len)
        ? register('x', code, k)
        : undefined
    case Class.st:
      return code === Class.st && k < MEMORY ? `m${k}=a` : undefined
    case Class.stx:
      return code === Class.stx && k < MEMORY ? `m${k}=x` : undefined
    case Class.alu:
      return arithmetic(code, k)
    case Class.ret:
      if (code === Class.ret) return `return ${k | 0}`
      return code === (Class.ret | RETURN_A) ? 'return a' : undefined
    default:
      if (code === Class.misc) return 'x=a'
      return code === (Class.misc | TXA) ? 'a=x' : undefined
  }
}

function isLoadOf(code: number, mode: number): boolean {
  return (code & ~7) === (Size.w | mode)
}

function register(name: 'a' | 'x', code: number, k: number): string | undefined {
  switch (code & 0xe0) {
    case Mode.imm:
      return `${name}=${k | 0}`
    case Mode.mem:
      return k < MEMORY ? `${name}=m${k}` : undefined
    default:
      return `${name}=length`
  }
}

function load(code: number, k: number): string | undefined {
  const mode = code & 0xe0
  if (mode === Mode.abs || mode === Mode.ind) {
    if (k >= BESIDE_FRAME) {
      throw refusal(
        'asks for what is not in the frame',
        "leave 'inbound', 'outbound' and 'ifindex' out; choose ports and a direction instead",
      )
    }
    const [bytes, get] = SIZES.get(code & 0x18) ?? []
    if (bytes === undefined) return undefined
    // A sum of two numbers without a sign, which does not wrap.
    if (mode === Mode.abs) return `if(${k + bytes}>length)return 0;a=view.${get}(offset+${k})`
    return `p=(x>>>0)+${k};if(p+${bytes}>length)return 0;a=view.${get}(offset+p)`
  }
  if (code === Class.ld || isLoadOf(code, Mode.mem) || isLoadOf(code, Mode.len)) {
    return register('a', code, k)
  }
  return undefined
}

const SIZES: ReadonlyMap<number, readonly [bytes: number, get: string]> = new Map([
  [Size.w, [4, 'getInt32']],
  [Size.h, [2, 'getUint16']],
  [Size.b, [1, 'getUint8']],
] as const)

function arithmetic(code: number, k: number): string | undefined {
  const fromX = (code & FROM_X) !== 0
  const by = fromX ? 'x' : String(k | 0)
  const unsigned = fromX ? '(x>>>0)' : String(k)
  switch (code & 0xf0) {
    case 0x00:
      return `a=(a+${by})|0`
    case 0x10:
      return `a=(a-(${by}))|0`
    case 0x20:
      return `a=Math.imul(a,${by})`
    case 0x30:
    case 0x90: {
      const operator = (code & 0xf0) === 0x30 ? '/' : '%'
      if (!fromX && k === 0) throw refusal('divides by zero')
      return `${fromX ? 'if(x===0)return 0;' : ''}a=((a>>>0)${operator}${unsigned})|0`
    }
    case 0x40:
      return `a|=${by}`
    case 0x50:
      return `a&=${by}`
    case 0x60:
    case 0x70: {
      const operator = (code & 0xf0) === 0x60 ? '<<' : '>>>'
      if (fromX) return `a=(x>>>0)<32?(a${operator}x)|0:0`
      return k < 32 ? `a=(a${operator}${k})|0` : 'a=0'
    }
    case 0x80:
      return 'a=(-a)|0'
    case 0xa0:
      return `a^=${by}`
    default:
      return undefined
  }
}

function branch(
  code: number,
  k: number,
  jt: number,
  jf: number,
  jump: (by: number) => string,
): string | undefined {
  const fromX = (code & FROM_X) !== 0
  const operation = code & 0xf0
  if (operation === 0x00) return jump(k)
  const unsigned = fromX ? '(x>>>0)' : String(k)
  const signed = fromX ? 'x' : String(k | 0)
  const condition = new Map([
    [0x10, `a===${signed}`],
    [0x20, `(a>>>0)>${unsigned}`],
    [0x30, `(a>>>0)>=${unsigned}`],
    [0x40, `(a&${signed})!==0`],
  ]).get(operation)
  if (condition === undefined) return undefined
  const [yes, no] = [jump(jt), jump(jf)]
  return `if(${condition}){${yes}}else{${no}}`
}

function refusal(message: string, fix = 'give what libpcap compiles'): ConfigError {
  return new ConfigError('capture', [{ path: 'filter', value: undefined, message, fix }])
}
