// What the webhook is measured against: a TLS server that parses the same body and answers a constant, but for the uid.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

const [certificate = '', key = '', host = '127.0.0.1', port = '0', patch] = process.argv.slice(2)
const UID = '705ab4f5-6393-11e8-b7cc-42010a800002'
const patched = patch === undefined ? {} : { patchType: 'JSONPatch', patch: Buffer.from(patch).toString('base64') }
const answer = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: UID, allowed: true, ...patched },
})
const [before = '', after = ''] = answer.split(UID)
const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) }

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { uid } = JSON.parse(Buffer.concat(chunks).toString()).request
    response.writeHead(uid.length === UID.length ? 200 : 400, headers)
    response.end(before + uid + after)
  })
})
server.listen(Number(port), host, () => console.log(`ready: ${(server.address() as AddressInfo).port}`))
