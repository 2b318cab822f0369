import * as z from 'zod'
import { nameField } from './fields.js'
import { validate } from './validate.js'

const common = {
  ports: z.union([z.enum(['all', 'pinned']), z.array(nameField).min(1)]).default('all'),
  burst: z.int().min(1).max(256).default(32),
  idle: z.enum(['spin', 'adaptive']).default('adaptive'),
  maxSleepMs: z.int().min(1).max(10_000).default(10),
  data: z.unknown().optional(),
  name: nameField.optional(),
}

/** Schema of {@link LaunchOptions}. */
export const launchOptions = z.strictObject({
  ...common,
  cpu: z.int().min(0).max(1023).optional(),
  burstTimeoutMs: z.int().min(0).max(600_000).default(2000),
  onStuck: z.enum(['restart', 'end']).default('restart'),
})

/** Schema of {@link RunOptions}. */
export const runOptions = z.strictObject({
  ...common,
  budgetMicroseconds: z.int().min(10).max(10_000).default(100),
})

interface LcoreOptions {
  /**
   * Ports whose rx queues the lcore polls, by name; `pinned`: only rx queues that are pinned to it (`rxAffinity` of a
   * port), which it polls in any case. Default `all`.
   */
  ports?: 'all' | 'pinned' | readonly string[] | undefined
  /** Most frames of one burst, 1 to 256. Default 32. */
  burst?: number | undefined
  /** What the lcore does when there is nothing to do: sleep until a guest signals, or go on polling. Default `adaptive`. */
  idle?: 'spin' | 'adaptive' | undefined
  /**
   * Longest sleep in milliseconds, 1 to 10000. Frames end a sleep at once; timers and messages of a program in a Worker
   * wait for its end. Default 10.
   */
  maxSleepMs?: number | undefined
  /** Handed to the program as a structured clone. */
  data?: unknown
  /** Name of the lcore in events, metrics and errors. */
  name?: string | undefined
}

/** How a program runs on a thread of its own. */
export interface LaunchOptions extends LcoreOptions {
  /** CPU the thread is pinned to. Default: not pinned. */
  cpu?: number | undefined
  /**
   * Milliseconds that the program may take for one burst before it is taken for stuck: its thread is ended, and the burst
   * is lost. 0 to 600000; 0: any time. Default 2000.
   */
  burstTimeoutMs?: number | undefined
  /**
   * What follows when it was stuck: an lcore of the same name and options is launched with the same program, unless that
   * was stuck three times in a row; or the lcore has ended, and others poll its queues. Default `restart`.
   */
  onStuck?: 'restart' | 'end' | undefined
}

/** How a program runs on the main thread. */
export interface RunOptions extends LcoreOptions {
  /** Longest turn of the program, in microseconds, 10 to 10000: whatever else this thread has to do waits for its end. Default 100. */
  budgetMicroseconds?: number | undefined
}

/** {@link LaunchOptions} with defaults filled in. */
export type LaunchSpec = z.output<typeof launchOptions>

/** {@link RunOptions} with defaults filled in. */
export type RunSpec = z.output<typeof runOptions>

/** @throws {@link ConfigError} naming every problem */
export function validateLaunchOptions(options: LaunchOptions = {}): LaunchSpec {
  return validate(launchOptions, options, 'launch options')
}

/** @throws {@link ConfigError} naming every problem */
export function validateRunOptions(options: RunOptions = {}): RunSpec {
  return validate(runOptions, options, 'run options')
}
