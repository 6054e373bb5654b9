-- What AWOOOI raises itself has a source of its own. What is open of it goes on under its new name:
-- the hash is that of the sender "awoooi", the identity that of `alertIdentity`.
UPDATE "alerts" SET "source" = 'awoooi',
  "identity" = left(encode(sha256(convert_to('["awoooi","",' || to_json("source_fingerprint")::text || ']', 'UTF8')), 'hex'), 32)
WHERE "status" <> 'resolved' AND "source" = 'alertmanager' AND "identity" IS NOT NULL AND 'e76b86bca9eadc6f' = ANY ("senders");--> statement-breakpoint
UPDATE "receipts" SET "source" = 'awoooi' WHERE "state" = 'received' AND "source" = 'alertmanager' AND "sender" = 'awoooi';
