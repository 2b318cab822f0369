/** Lcores that end by themselves. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

/** Ends its thread, or never returns, at the first frame of lcore 1. */
const DEADLY = `
  import type { Program, ProgramContext } from 'dpdk-vhost'

  export default ({ lcore, data }: ProgramContext): Program => ({
    burst() {
      if (lcore !== 1) return
      if (data === 'exit') process.exit(3)
      for (;;);
    },
  })
`

describe('an lcore that ends by itself', () => {
  for (const { how, data } of [
    { how: 'its thread exits', data: 'exit' },
    { how: 'a program does not return, which is named', data: 'hang' },
  ]) {
    test(`${how}: others poll for it, and it comes back as it was`, async () => {
      await using stage = await Stage.start((at) => ({
        lcores: [{ name: 'first' }, { name: 'second', ports: ['a'] }],
        bridges: [{ name: 'br0' }, { name: 'br1', flows: ['priority=1,actions=flood'] }],
        ports: [
          at.port('a', { rxAffinity: { 0: 'second' } }),
          at.port('x', { bridge: 'br1', rxAffinity: { 0: 'first' } }),
          at.port('y', { bridge: 'br1', rxAffinity: { 0: 'second' } }),
        ],
      }))
      const { switch: running } = stage
      const a = await stage.host('a')
      const x = await stage.host('x', { ip: '192.0.2.1' })
      await stage.host('y', { ip: '192.0.2.2' })
      await running.flowAdd('br1', ['priority=2,udp,actions=drop'])
      writeFileSync(stage.path('deadly.ts'), DEADLY)
      await running.programLoad('br0', stage.path('deadly.ts'), data)
      await a.send({ to: 'broadcast', frames: 1 })
      const said = (text: RegExp) => stage.lines.some((line) => text.test(line))
      await until('it is said', () => said(/^error lcore second ended: /))
      await until('it is back', () => said(/^info lcore second runs again/))
      const file = stage.path('deadly.ts')
      const begin =
        'error lcore second ended: its program (program.js) did not return for 2 s from a burst '
      const end = `; lcores run program ${file} of bridge br0`
      const named = stage.lines.some((line) => line.startsWith(begin) && line.endsWith(end))
      assert.equal(named, data === 'hang', stage.lines.join('\n'))
      assert.deepEqual(
        (await running.lcores()).map(({ name }) => name),
        ['first', 'second'],
      )
      assert.equal((await x.ping('192.0.2.2', { timeoutMs: 3000 })).received, 1)
      const [drop] = running.flows('br1', 'udp')
      const before = drop?.packets ?? 0
      await x.send({ to: 'broadcast', frames: 5 })
      await until(
        'rules are in force',
        () => running.flows('br1', 'udp')[0]?.packets === before + 5,
      )
    })
  }

  for (const { how, text } of [
    { how: 'ends its thread', text: 'process.exit(1)' },
    { how: 'never returns', text: 'for (;;);' },
    { how: 'waits for ever', text: 'await new Promise(() => {})' },
  ]) {
    test(`a program that ${how} while it is loaded is refused, and lcores are back`, async () => {
      await using stage = await Stage.start((at) => ({
        lcores: [{ name: 'first' }, { name: 'second' }],
        ports: [at.port('x'), at.port('y')],
      }))
      const { switch: running } = stage
      const x = await stage.host('x', { ip: '192.0.2.1' })
      await stage.host('y', { ip: '192.0.2.2' })
      writeFileSync(stage.path('bad.ts'), `${text}\nexport default () => {}`)
      await assert.rejects(running.programLoad('br0', stage.path('bad.ts'), undefined), /lcore/)
      const again = (name: string) =>
        stage.lines.some((line) => line.startsWith(`info lcore ${name} runs again`))
      await until('both are back', () => again('first') && again('second'))
      assert.equal(running.show().bridges[0]?.decides, 'normal')
      assert.equal((await x.ping('192.0.2.2', { timeoutMs: 3000 })).received, 1)
    })
  }

  for (const { how, method, text } of [
    { how: 'never returns', method: 'burst', text: 'for (;;);' },
    { how: 'ends its thread', method: 'idle', text: 'process.exit(1)' },
  ]) {
    test(`a program that ${how} is in force if it was not refused, and can be unloaded`, async () => {
      await using stage = await Stage.start((at) => ({
        lcores: [{ name: 'only' }],
        ports: [at.port('x'), at.port('y')],
      }))
      const { switch: running } = stage
      const x = await stage.host('x', { ip: '192.0.2.1' })
      await stage.host('y', { ip: '192.0.2.2' })
      writeFileSync(
        stage.path('bad.ts'),
        `export default () => ({ burst() {}, ${method}() { ${text} } })`,
      )
      const load = running.programLoad('br0', stage.path('bad.ts'), undefined)
      const decides = await load.then(
        () => 'program',
        () => 'normal',
      )
      assert.equal(running.show().bridges[0]?.decides, decides)
      await x.send({ to: 'broadcast', frames: 1 })
      await running.programUnload('br0')
      assert.equal(running.show().bridges[0]?.decides, 'normal')
      const back = /^info lcore only runs again/
      await until('it is back', () => stage.lines.some((line) => back.test(line)))
      assert.equal((await x.ping('192.0.2.2', { timeoutMs: 3000 })).received, 1)
    })
  }
})
