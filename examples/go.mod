module example.com/inq/examples

go 1.25

replace example.com/inq => ../
