/** A user's program: frames go back where they came from. It counts what it was told and asked. */
import type { Burst, Program, ProgramContext } from '../../../../src/index.js'

declare global {
  var reverses: { names: string[]; idles: number; closed: boolean }[] | undefined
}

export default async ({ ports, data }: ProgramContext): Promise<Program> => {
  const { ms = 0 } = (data ?? {}) as { ms?: number }
  await new Promise((resolve) => setTimeout(resolve, ms))
  const told = { names: [...ports.ids.keys()], idles: 0, closed: false }
  globalThis.reverses ??= []
  globalThis.reverses.push(told)
  return {
    burst(burst: Burst) {
      for (let i = 0; i < burst.count; i++) burst.outPort[i] = burst.inPort
    },
    portsChanged({ ids }) {
      told.names = [...ids.keys()]
    },
    idle() {
      told.idles++
      return false
    },
    close() {
      told.closed = true
    },
  }
}
