// What the webhook is measured against: a TLS server that parses the same body and answers a constant.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

const [certificate = '', key = ''] = process.argv.slice(2)
const answer = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: '705ab4f5-6393-11e8-b7cc-42010a800002', allowed: true },
})
const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) }

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const review = JSON.parse(Buffer.concat(chunks).toString())
    response.writeHead(review.request.uid === '' ? 400 : 200, headers)
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`ready: ${(server.address() as AddressInfo).port}`))
