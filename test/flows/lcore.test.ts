import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Datapath,
  type Explanation,
  type FlowStatus,
  type Lcore,
  SharedFlows,
} from '../../src/index.js'

const PROGRAM = new URL('../../src/programs/flow-table/program.js', import.meta.url)

test('an lcore in a Worker has a flow table, and takes updates while frames come', async () => {
  await using datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
  // Each gives frames of zeros whenever it is asked, and takes all.
  for (const name of ['one', 'two']) {
    const port = await datapath.addPort({
      name,
      type: 'dpdk',
      devargs: `net_null_${name},size=64`,
    })
    await port.ready({ timeoutMs: 60_000 })
  }
  const rules = ['in_port=one,actions=output:two', 'in_port=two,actions=drop']
  const lcore = await datapath.launch(PROGRAM, { data: { rules } })
  const flows = () => lcore.call({ type: 'dump' }) as Promise<FlowStatus[]>
  const grew = async (index: number) => {
    const before = (await flows())[index]?.packets ?? 0
    await sleep(100)
    return ((await flows())[index]?.packets ?? 0) - before
  }
  assert.ok((await grew(0)) > 0)
  assert.ok((await grew(1)) > 0)

  const many = Array.from({ length: 10_000 }, (_, i) => `udp,tp_src=${i},actions=drop`)
  await lcore.call({ type: 'add', rules: [...many, 'priority=40000,dl_type=0x05ff,actions=flood'] })
  assert.ok((await grew(0)) > 0)
  assert.equal((await flows())[0]?.actions, 'flood')
  assert.equal(await lcore.call({ type: 'delete', selection: 'udp' }), 10_000)
  const { tables } = (await lcore.call({ type: 'explain' })) as Explanation
  assert.equal(tables[0]?.rules, 3)

  await assert.rejects(
    lcore.call({ type: 'add', rules: ['tcp,actions=outptu:two'] }),
    /did you mean output\?/,
  )
  assert.ok((await grew(0)) > 0)
})

test('lcores in Workers share rules, and what one counted stays when it ends', async () => {
  await using datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
  const lcores: Lcore[] = []
  const flows = new SharedFlows({
    rules: ['priority=2,in_port=one,actions=meter:7,output:two', 'priority=1,actions=drop'],
    meters: [{ id: 7, unit: 'pktps', rate: 2000, burst_size: 100 }],
    deliver: async (message) => {
      await Promise.all(lcores.map((lcore) => lcore.call(message)))
    },
  })
  const start = async (name: string) => {
    const data = { replica: flows.replica() }
    const lcore = await datapath.launch('dpdk-vhost/programs/flow-table/program', { name, data })
    lcores.push(lcore)
    await flows.sync()
    return lcore
  }
  const first = await start('first')
  await start('second')
  for (const name of ['one', 'two', 'three', 'four']) {
    const devargs = `net_null_${name},size=64`
    const port = await datapath.addPort({ name, type: 'dpdk', devargs })
    await port.ready({ timeoutMs: 60_000 })
  }
  const packets = () => flows.dump().map((rule) => rule.packets)
  const grown = async () => {
    const before = packets()
    for (let i = 0; i < 100; i++) {
      await sleep(20)
      if (packets().every((count, rule) => count > (before[rule] as number))) return
    }
    assert.fail(`${packets()} after ${before}`)
  }
  await grown()
  // An lcore knows the rules that were there when it came, and those that came later.
  const stats = async (lcore: Lcore) => (await lcore.call({ type: 'stats' })) as { rules: number }
  for (const lcore of lcores) assert.equal((await stats(lcore)).rules, 2)
  await flows.add('priority=3,in_port=three,actions=drop')
  await grown()
  assert.ok(flows.stats.others.metered > 0)

  const before = packets()
  lcores.shift()
  await first.stop()
  assert.ok(packets().every((count, rule) => count >= (before[rule] as number)))
  await flows.delete('in_port=three', { strict: false })
  await start('third')
  await flows.add('priority=3,in_port=four,actions=drop')
  for (const lcore of lcores) assert.equal((await stats(lcore)).rules, 3)
  await grown()
  flows.close()
})
