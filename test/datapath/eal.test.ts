/** Starting DPDK: its words, its log, and trying again. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Child } from '../support/child.js'

const run = promisify(execFile)
const index = new URL('../../src/index.js', import.meta.url).href

/** Runs a piece of an ES module that has `Datapath`, and returns the JSON it prints. */
async function inProcess(body: string): Promise<{ result: unknown; stderr: string }> {
  const source = `import { Datapath } from ${JSON.stringify(index)}
    const refusal = (promise) => promise.then(() => null, ({ code, message }) => ({ code, message }))
    ${body}
    console.log(JSON.stringify(result))`
  const { stdout, stderr } = await run(
    process.execPath,
    ['--input-type=module', '--eval', source],
    { timeout: 60_000, killSignal: 'SIGKILL' },
  )
  return { result: JSON.parse(stdout), stderr }
}

describe('starting DPDK', () => {
  test('a refused start carries the words of EAL, prints nothing, and can be tried again', async () => {
    const { result, stderr } = await inProcess(`
      const first = await refusal(Datapath.open({ memory: 'memfd', memoryMiB: 64, ealArgs: ['--no-such-option'] }))
      const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
      const result = { first, memory: datapath.info.memory }
      await datapath.close()`)
    const { first, memory } = result as { first: { code: string; message: string }; memory: string }
    assert.equal(first.code, 'ERR_EAL_INIT')
    assert.match(first.message, /Invalid 'command line' arguments/)
    assert.equal(memory, 'memfd')
    assert.equal(stderr, '')
  })

  test('hugepages that are not there are refused with the number that is missing', async () => {
    const { result } = await inProcess(`
      const result = await refusal(Datapath.open({ memory: 'hugepages', memoryMiB: 65536 }))`)
    const { code, message } = result as { code: string; message: string }
    assert.equal(code, 'ERR_NO_HUGEPAGES')
    assert.match(message, /65536 MiB.*nr_hugepages.*memfd/)
  })

  test('too little memory for the MTU is refused with what would do', async () => {
    const { result } = await inProcess(`
      const result = await refusal(Datapath.open({ memory: 'memfd', memoryMiB: 64, mtu: 9728, ealArgs: ['-m', '64'] })
        .then((datapath) => datapath.close()))`)
    assert.equal(result, null, 'even the largest MTU fits in the least memory')
  })

  test('one datapath at a time, and another after it', async () => {
    const { result } = await inProcess(`
      const first = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
      const second = await refusal(Datapath.open({ memory: 'memfd', memoryMiB: 64 }))
      await first.close()
      const larger = await refusal(Datapath.open({ memory: 'memfd', memoryMiB: 128 }))
      const third = await Datapath.open({ memory: 'memfd', memoryMiB: 64, mtu: 9000 })
      const result = [second.code, larger.code, third.info.bufferBytes > 9000]
      await third.close()
      await third.close()`)
    assert.deepEqual(result, ['ERR_ALREADY_OPEN', 'ERR_EAL_UNUSABLE', true])
  })

  test('its log arrives as events with level and component, not on stderr', async () => {
    const { result, stderr } = await inProcess(`
      const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
      const lines = []
      datapath.on('log', (line) => lines.push(line))
      const path = '/tmp/dv-log-' + process.pid
      const { createServer } = await import('node:net')
      const peer = createServer().listen(path)
      const port = await datapath.addPort({ name: 'a', type: 'dpdkvhostuserclient', path })
      while (port.status.state === 'connecting') await new Promise((resolve) => setTimeout(resolve, 10))
      peer.close()
      await datapath.close()
      const result = lines`)
    const lines = result as { level: string; component: string; message: string }[]
    const early = lines.find(({ component }) => component === 'lib.eal')
    assert.ok(
      early,
      `the lines of EAL's start, from before anybody could listen: ${JSON.stringify(lines)}`,
    )
    const bound = lines.find(({ message }) => message.includes('new device, handle is'))
    assert.equal(bound?.component, 'lib.vhost.config')
    assert.equal(bound?.level, 'info')
    assert.equal(stderr, '')
  })

  const drivers = `
      import { readFileSync } from 'node:fs'
      const drivers = () => [
        ...new Set(readFileSync('/proc/self/maps', 'utf8').match(/librte_(net|crypto|common)_[a-z]\\w+/g)),
      ]`

  test('drivers of devices are loaded with the first device, and none before', async () => {
    const { result, stderr } = await inProcess(`${drivers}
      const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
      const complaints = []
      datapath.on('log', ({ level, message }) => level !== 'info' && complaints.push(message))
      const before = drivers()
      const ports = ['net_null0', 'net_null1'].map((devargs, i) =>
        datapath.addPort({ name: 'null' + i, type: 'dpdk', devargs }))
      const states = (await Promise.all(ports)).map(({ status }) => status.state)
      const result = { before, states, after: drivers(), complaints }
      await datapath.close()`)
    const { before, states, after, complaints } = result as Record<string, string[]>
    assert.deepEqual(before, [])
    assert.deepEqual(states, ['ready', 'ready'])
    assert.ok(after?.includes('librte_net_null'), String(after))
    assert.deepEqual(complaints, [])
    assert.equal(stderr, '')
  })

  test('EAL has all drivers when it is to make devices itself', async () => {
    const { result } = await inProcess(`${drivers}
      const ealArgs = ['--log-level=lib.eal:info', '--vdev=net_null0']
      const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64, ealArgs })
      const result = drivers()
      await datapath.close()`)
    assert.ok((result as string[]).includes('librte_net_null'), String(result))
  })

  test('two processes run side by side', async () => {
    const script = new URL('./children/one-switch.js', import.meta.url)
    await using first = new Child(script)
    await using second = new Child(script)
    assert.deepEqual(await Promise.all([first.message(), second.message()]), ['open', 'open'])
    first.send('close')
    second.send('close')
    assert.deepEqual([(await first.ended).code, (await second.ended).code], [0, 0])
  })
})
