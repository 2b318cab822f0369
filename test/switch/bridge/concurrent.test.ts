import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import {
  bridgeCounters,
  bridgePortCounters,
  NoticeReader,
  newBridgeMemory,
} from '../../../src/switch/bridge/index.js'

test('two lcores lose no notice uncounted, share storm limits, and keep VLANs apart', async () => {
  const memory = newBridgeMemory(64)
  const limit = 100
  const file = fileURLToPath(new URL('./concurrent-worker.js', import.meta.url))
  const reader = new NoticeReader(memory)
  let notices = 0
  let odd = 0
  const read = () => {
    for (const { from, to, vlan, mac } of reader.read()) {
      notices++
      const ports = vlan === 5 ? [0, 1] : [2, 3]
      if (!ports.includes(from) || !ports.includes(to) || from === to) odd++
      if (!/^02:00:00:00:00:[0-3].$/.test(mac)) odd++
    }
  }
  const reading = setInterval(read, 5)
  const counts = await Promise.all(
    [1, 2].map(
      (seed) =>
        new Promise<{ floods: number; astray: number; known: number }>((resolve, reject) => {
          const workerData = { memory, seed, milliseconds: 500, limit }
          const worker = new Worker(file, { workerData })
          worker.once('message', resolve).once('error', reject)
        }),
    ),
  )
  clearInterval(reading)
  for (let i = 0; i < 10; i++) read()

  const { moves, flaps } = bridgeCounters(memory)
  assert.ok(notices > 300 && flaps > 0, `${notices} notices, ${flaps} flaps`)
  assert.equal(notices + reader.lost, moves + flaps)
  assert.equal(odd, 0)
  for (const { astray, known } of counts) {
    assert.equal(astray, 0, 'frames that left by a port of another VLAN')
    assert.ok(known > 100)
  }
  // The clocks of the lcores went on by less than a second; each port may flood a second's worth and what came since.
  const floods = counts.reduce((sum, count) => sum + count.floods, 0)
  assert.ok(floods >= limit * 4 && floods <= limit * 8, `${floods} floods`)
  for (let port = 0; port < 4; port++) assert.ok(bridgePortCounters(memory, port).storm > 0)
})
