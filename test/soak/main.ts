/** `npm run test:soak`: days of a switch in minutes. */
import { parseArgs } from 'node:util'
import { Random } from '../headers/random.js'
import { connects } from './connects.js'
import { kills } from './kills.js'
import { mix } from './mix.js'
import { Stage } from './stage.js'

/** Tells how far it is. */
export type Say = (line: string) => void

const HELP = `Usage: npm run test:soak -- [options]

A switch with four guests, under full load, for a time. Everything that may happen to it does, in an order left to
chance, and every frame is accounted for. Then guests that connect and hang up, then kills of the switch.

  --minutes N      how long the mix takes (default 10)
  --connections N  connections and hang-ups after it (default 1000)
  --kills N        kills of the switch after them (default 200)
  --seed N         repeats an order of events (default: left to chance, and printed)
  --help           this text

Exit code 0 when everything added up, 1 when something did not: what, and after which events, is printed.`

const options = {
  minutes: { type: 'string', default: '10' },
  connections: { type: 'string', default: '1000' },
  kills: { type: 'string', default: '200' },
  seed: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

/** What to do, and how often. */
export interface SoakOptions {
  readonly minutes: number
  readonly connections: number
  readonly kills: number
  readonly seed: number
}

/** @throws Error naming the option, its value, and what it may be */
export function readOptions(args: readonly string[]): SoakOptions | undefined {
  const { values } = parseArgs({ args: [...args], options })
  if (values.help) return undefined
  const number = (name: 'minutes' | 'connections' | 'kills' | 'seed', otherwise = '') => {
    const text = values[name] ?? otherwise
    const value = Number(text)
    const whole = name === 'minutes' || Number.isInteger(value)
    if (text.trim() !== '' && value >= 0 && value < 2 ** 31 && whole) return value
    throw new Error(`--${name} = "${text}" is no ${whole ? '' : 'whole '}number from 0 on`)
  }
  return {
    minutes: number('minutes'),
    connections: number('connections'),
    kills: number('kills'),
    seed: number('seed', String(Math.floor(Math.random() * 2 ** 31))),
  }
}

/** @throws Error naming what did not add up */
export async function soak(given: SoakOptions, say: Say): Promise<object> {
  const { minutes, connections, seed } = given
  const random = new Random(seed)
  await using stage = new Stage()
  await stage.start()
  const report: Record<string, object> = {}
  const ms = minutes * 60_000
  const roundMs = Math.min(5000, ms / 4)
  if (ms > 0) report.mix = await mix(stage, random, { ms, roundMs }, say)
  if (connections > 0) report.connections = await connects(stage, connections, say)
  if (given.kills > 0) report.kills = await kills(stage, given.kills, random, say)
  return report
}

if (import.meta.filename === process.argv[1]) {
  try {
    const given = readOptions(process.argv.slice(2))
    if (given === undefined) console.log(HELP)
    else {
      console.log(`seed ${given.seed}`)
      const report = await soak(given, console.log)
      console.log(
        JSON.stringify(report, (key, value) => (key === 'footprints' ? undefined : value), 2),
      )
      console.log('Every frame is accounted for, and nothing grew.')
    }
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
