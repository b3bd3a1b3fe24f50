// Command first sends a message, receives it and deletes it.
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"example.com/inq"
)

func main() {
	ctx := context.Background()
	jobs, err := inq.NewStandard("jobs", inq.WithVisibilityTimeout(10*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	if _, err := jobs.Send(ctx, inq.Message{Body: "resize cat.png"}); err != nil {
		log.Fatal(err)
	}
	for d, err := range inq.Deliveries(ctx, jobs, inq.ReceiveInput{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("working on:", d.Body)
		if err := d.Delete(ctx); err != nil { // undeleted, it would come back in 10 seconds
			log.Fatal(err)
		}
		break
	}
}
