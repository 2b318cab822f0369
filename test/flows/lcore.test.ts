import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Datapath, type Explanation, type FlowStatus } from '../../src/index.js'

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
    await port.ready({ timeoutMs: 10_000 })
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
