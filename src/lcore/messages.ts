import type { NativeTrialPlan } from '../native/binding.js'
import type { ProgramEvent } from './events.js'
import type { PortList } from './runner.js'

/** What a Worker has from its beginning. */
export interface WorkerModule {
  /** Module of the program that it loads at once. */
  url: string
}

/** Its first message, which makes it an lcore. */
export interface WorkerStart {
  burst: number
  idle: 'spin' | 'adaptive'
  maxSleepMs: number
  cpu: number | undefined
  ports: PortList
  /** What the program's factory gets. */
  data: unknown
}

/** A program module, by URL, and what its factory gets. */
export interface ModuleSource {
  url: string
  data: unknown
}

/** From the main thread to the lcore. Those with an `id` are answered. */
export type Request =
  | { kind: 'ports'; ports: PortList }
  | { kind: 'call'; id: number; message: unknown }
  | { kind: 'replace'; id: number; program: ModuleSource }
  | { kind: 'nativeIo'; id: number; milliseconds: number }
  | { kind: 'trial'; id: number; plan: NativeTrialPlan }
  | { kind: 'stop'; id: number }

/** From the lcore to the main thread. */
export type Reply =
  | { kind: 'started'; index: number }
  | { kind: 'failed'; error: PostedError }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'refusal'; id: number; error: PostedError }
  | { kind: 'program'; event: Omit<ProgramEvent, 'lcore'> }

/** An error on its way between threads, which would lose its class and code. */
export interface PostedError {
  message: string
  stack: string | undefined
  code: string
}
