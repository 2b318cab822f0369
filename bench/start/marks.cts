/**
 * Loaded with `--require` into a switch of ours before anything else: writes down when it starts, loads the addon and
 * calls it. The switch itself is the one that users run. Each line of the file is a `Mark`.
 */
import fs = require('node:fs')
import worker = require('node:worker_threads')

type Name = import('./phases.js', { with: { 'resolution-mode': 'import' }}).MarkName

/** Calls of the addon, and what their begin and their end are called. */
const BEGINS: Record<string, Name> = {
  open: 'open',
  createLcore: 'createLcore',
  assign: 'assign',
}
const ENDS: Record<string, Name> = { open: 'opened' }

const file = process.env.DPDK_VHOST_BENCH_MARKS
if (file !== undefined) {
  const descriptor = fs.openSync(file, 'a')
  const mark = (name: Name): void => {
    const at = performance.timeOrigin + performance.now()
    fs.writeSync(descriptor, `${JSON.stringify({ name, thread: worker.threadId, at })}\n`)
  }
  mark('begun')

  const dlopen = process.dlopen
  process.dlopen = (module, ...rest) => {
    mark('load')
    dlopen.call(process, module, ...rest)
    mark('loaded')
    const loaded = module as { exports: Record<string, unknown> }
    const addon = loaded.exports
    // Its properties can neither be set nor be enumerated.
    loaded.exports = Object.fromEntries(
      Object.getOwnPropertyNames(addon).map((name) => {
        const value = addon[name]
        if (typeof value !== 'function') return [name, value]
        const begins = BEGINS[name]
        const ends = ENDS[name]
        if (begins === undefined) return [name, value.bind(addon)]
        const marked = (...args: unknown[]) => {
          mark(begins)
          const result = value.apply(addon, args)
          if (ends !== undefined)
            (result as Promise<unknown>).then(
              () => mark(ends),
              () => {},
            )
          return result
        }
        return [name, marked]
      }),
    )
  }
}
