/** Ends the process in a given way at a given step of the life of a datapath. Arguments: folder, step, way. */
import { writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Datapath } from '../../../src/index.js'
import { loopback, numberedFrame, SMALL } from '../../support/loopback.js'

const [folder = '', step = '', way = ''] = process.argv.slice(2)

/** What the way is done with, once it is reached; says when. */
function end(): Promise<never> {
  writeSync(1, `ends at ${Date.now()}\n`)
  if (way === 'exit') process.exit(42)
  if (way === 'throw') {
    setImmediate(() => {
      throw new Error('on purpose')
    })
  }
  if (way === 'end') process.exitCode = 42
  if (way === 'abandon') process.removeAllListeners()
  return new Promise(() => {})
}
function reached(name: string): Promise<void> {
  return name === step ? end() : Promise.resolve()
}

const ealArgs = step === 'loading' ? ['-d', 'driver.so'] : []
const opening = Datapath.open({ ...SMALL, ealArgs })
if (step === 'loading') {
  // It is a pipe, so that EAL waits for what is written to it, with the loader's lock held.
  await open(join(folder, 'driver.so'), 'w')
  await end()
}
if (step === 'opening') {
  await new Promise((resolve) => setTimeout(resolve, 50))
  await end()
}
const datapath = await opening
await reached('opened')

const waiting = datapath.addPort({
  name: 'waiting',
  type: 'dpdkvhostuserclient',
  path: join(folder, 'nobody'),
})
if (step === 'adding') await end()
await waiting
await reached('connecting')

const { vhost, guest } = await loopback(datapath, folder)
await reached('ready')

const program = new URL('./ping-pong.js', import.meta.url)
const launching = datapath.launch(program, {
  name: 'worker',
  ports: [vhost.name],
  maxSleepMs: 10_000,
})
if (step === 'launching') await end()
const lcore = await launching
await datapath.run((burst) => void burst.outPort.fill(burst.inPort ^ 3, 0, burst.count), {
  ports: [guest.name],
})
for (let i = 0; i < 8; i++) guest.inject(numberedFrame(i))
await reached('traffic')

if (step === 'other-worker') {
  // Another thread has the addon, and dies while frames move.
  const other = new Worker(new URL('../../../src/index.js', import.meta.url))
  await new Promise((resolve) => other.once('online', resolve))
  await other.terminate()
  await end()
}

const stopping = lcore.stop()
if (step === 'stopping') await end()
await stopping

const removing = vhost.remove()
if (step === 'removing') await end()
await removing

const closing = datapath.close()
if (step === 'closing') await end()
await closing
await reached('closed')
