/** Loaded with `--require` into a switch of ours: writes down once, in each thread, what V8's heap holds. */
import fs = require('node:fs')
import path = require('node:path')
import v8 = require('node:v8')
import worker = require('node:worker_threads')

const folder = process.env.DPDK_VHOST_BENCH_HEAP
/** The switch has started by then, and idles. */
const AFTER_MS = 1000

function write(into: string): void {
  const { used_heap_size: used, total_heap_size: total } = v8.getHeapStatistics()
  const file = path.join(into, `${worker.threadId}`)
  fs.writeFileSync(`${file}.part`, JSON.stringify({ thread: worker.threadId, used, total }))
  fs.renameSync(`${file}.part`, `${file}.heap`)
}

if (folder !== undefined) setTimeout(write, AFTER_MS, folder).unref()
