// Ingresses, their classes and a namespace that change all the time, for whoever watches them.
import type { Connection } from '../../src/kube/connection.ts'
import { ask } from '../kube/mirror.ts'

export const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/default/ingresses'
const CLASSES = '/apis/networking.k8s.io/v1/ingressclasses'

export type Stirred = {
  create(name: string): Promise<void>
  remove(name: string): Promise<void>
  /** Something new, something else, something gone, in every kind; the next call finds the same to do. */
  stir(): Promise<void>
}

/** With what the first stir changes. */
export async function startStirred(direct: Connection): Promise<Stirred> {
  const create = async (name: string): Promise<void> => {
    await ask(direct, { method: 'POST', path: INGRESSES, body: JSON.stringify(ingress(name)) })
    const ingressClass = { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name } }
    const body = JSON.stringify({ ...ingressClass, spec: { controller: 'example.com/none' } })
    await ask(direct, { method: 'POST', path: CLASSES, body })
  }
  const change = async (name: string): Promise<void> => {
    const body = JSON.stringify({ metadata: { labels: { changed: String(performance.now()) } } })
    const contentType = 'application/merge-patch+json'
    for (const path of [INGRESSES, CLASSES, '/api/v1/namespaces']) {
      const of = path === '/api/v1/namespaces' ? 'default' : name
      await ask(direct, { method: 'PATCH', path: `${path}/${of}`, body, contentType })
    }
  }
  const remove = async (name: string): Promise<void> => {
    for (const path of [INGRESSES, CLASSES]) await ask(direct, { method: 'DELETE', path: `${path}/${name}` })
  }
  const stir = async (): Promise<void> => {
    await remove('deleted')
    await change('changed')
    await create('deleted')
    await change('kept')
    await remove('kept')
    await create('kept')
    await create('gone')
    await remove('gone')
  }
  for (const name of ['kept', 'changed', 'deleted']) await create(name)
  return { create, remove, stir }
}

export function ingress(name: string): object {
  const defaultBackend = { service: { name: 'app', port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default', annotations: { note: 'ä€😀' } },
    spec: { defaultBackend },
  }
}
