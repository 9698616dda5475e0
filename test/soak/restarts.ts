// Pods that are replaced all the while, beside some that stay for the whole time: by those it is seen what grows.
import { setTimeout as sleep } from 'node:timers/promises'
import { collection } from '../integration/api.ts'
import { TEAM } from '../integration/faults.ts'
import type { Installed, Replica, Start } from '../integration/installed.ts'
import type { Pod } from '../integration/pods.ts'
import type { WholeCluster } from '../integration/whole-cluster.ts'
import type { Gate } from './gate.ts'
import { GUARDS } from './repairs.ts'

export type Restarts = { webhooks: number; controllers: number; apiServer: number }

const SERVED_WITHIN_MS = 120_000

/** The first webhook and the first controller stay; another of each is replaced, in good order and then by force. */
export async function restartPods(
  { installed, controllers }: WholeCluster,
  start: Start,
  everyMs: number,
  gate: Gate,
  told: Restarts,
): Promise<void> {
  const [stays] = controllers
  for (let turn = 0; !gate.isOver(); turn++) {
    await sleep(everyMs)
    if (gate.isOver()) return
    await gate.open()
    await replaceWebhook(installed, start)
    told.webhooks++
    const old = controllers.find(each => each !== stays)
    if (old === undefined || gate.isOver()) continue
    await (turn % 2 === 0 ? old.terminate() : old.kill())
    controllers.splice(controllers.indexOf(old), 1, await started(installed.startController(start)))
    told.controllers++
  }
}

/** By one that is ready before it goes: killed, what it holds would fail, as it has to. */
async function replaceWebhook(installed: Installed, start: Start): Promise<void> {
  const old = installed.replicas[1] as Replica
  await started(installed.start(start))
  await old.terminate()
}

async function started<T extends Pod>(starting: Promise<T>): Promise<T> {
  const pod = await starting
  await pod.ready(SERVED_WITHIN_MS)
  return pod
}

export async function restartApiServer(all: WholeCluster, everyMs: number, gate: Gate, told: Restarts): Promise<void> {
  while (!gate.isOver()) {
    await sleep(everyMs)
    if (gate.isOver()) return
    await gate.closedWhile(async () => {
      // Kept ones would be found dead by whoever writes next.
      await all.controlPlane.restartApiServer(async () => all.api.close())
      const deadline = performance.now() + SERVED_WITHIN_MS
      while (!(await isBack(all).catch(() => false)) && performance.now() < deadline) await sleep(200)
    })
    told.apiServer++
  }
}

/** Each kind that is written has to be known again: defined ones come a moment after those that are built in. */
async function isBack({ api, isServed }: WholeCluster): Promise<boolean> {
  const known = [collection(TEAM), GUARDS].map(async path => (await api.send('GET', path)).status === 200)
  return (await Promise.all(known)).every(Boolean) && (await isServed())
}
