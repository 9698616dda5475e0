module portcullis.test/verify

go 1.26
