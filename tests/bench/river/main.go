// Durable no-op jobs a second with River (riverqueue.com) on a PostgreSQL server that is there:
// jobs are inserted in batches while a client works them, as many at once as it may, until the last
// one is done. What `./run bench --river` compares ours with.
//
//	go build -C tests/bench/river -o ../../../build/river-bench .
//	./run bench --only postgres --river build/river-bench
//
// Prints one number: jobs a second, from the first insert to the last job's completion in the
// database.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// As ours: 200 bytes that nobody looks at.
type noopArgs struct {
	Payload string `json:"payload"`
}

func (noopArgs) Kind() string { return "noop" }

type noopWorker struct {
	river.WorkerDefaults[noopArgs]
}

func (noopWorker) Work(context.Context, *river.Job[noopArgs]) error { return nil }

func main() {
	uri := flag.String("uri", "", "connection string of the database")
	jobs := flag.Int("jobs", 200_000, "how many jobs")
	batch := flag.Int("batch", 1000, "jobs in an insert")
	inserters := flag.Int("inserters", 4, "inserts at once")
	workers := flag.Int("workers", 2000, "jobs worked at once (River's own benchmark takes 2000)")
	flag.Parse()
	rate, err := measure(context.Background(), *uri, *jobs, *batch, *inserters, *workers)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f\n", rate)
}

func measure(ctx context.Context, uri string, jobs, batch, inserters, workers int) (float64, error) {
	pool, err := pgxpool.New(ctx, uri)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err != nil {
		return 0, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return 0, err
	}
	if _, err := pool.Exec(ctx, "TRUNCATE river_job"); err != nil {
		return 0, err
	}
	registered := river.NewWorkers()
	river.AddWorker(registered, noopWorker{})
	client, err := river.NewClient(driver, &river.Config{
		// As River's own benchmark sets these two.
		FetchCooldown:     2 * time.Millisecond,
		FetchPollInterval: 20 * time.Millisecond,
		Logger:            slog.New(slog.NewTextHandler(io.Discard, nil)),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:           registered,
	})
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := client.Start(ctx); err != nil {
		return 0, err
	}
	if err := insert(ctx, client, jobs, batch, inserters); err != nil {
		return 0, err
	}
	if err := waitUntilDone(ctx, pool, jobs); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if err := client.Stop(ctx); err != nil {
		return 0, err
	}
	return float64(jobs) / took.Seconds(), nil
}

func insert(ctx context.Context, client *river.Client[pgx.Tx], jobs, batch, inserters int) error {
	payload := strings.Repeat("p", 200)
	turns := make(chan int)
	errs := make(chan error, inserters)
	for range inserters {
		go func() {
			for size := range turns {
				params := make([]river.InsertManyParams, size)
				for i := range params {
					params[i] = river.InsertManyParams{Args: noopArgs{Payload: payload}}
				}
				// The fast form: COPY, and no rows come back.
				if _, err := client.InsertManyFast(ctx, params); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for left := jobs; left > 0; left -= batch {
		select {
		case turns <- min(batch, left):
		case err := <-errs:
			return err
		}
	}
	close(turns)
	for range inserters {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func waitUntilDone(ctx context.Context, pool *pgxpool.Pool, jobs int) error {
	for {
		var done int
		row := pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state = 'completed'")
		if err := row.Scan(&done); err != nil || done >= jobs {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
